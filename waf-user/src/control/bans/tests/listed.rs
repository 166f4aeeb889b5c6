//! Pages of bans.

use super::*;

async fn pages(book: &BanBook, places: &[Where], limit: usize) -> Vec<String> {
    let (mut shown, mut after) = (Vec::new(), None::<String>);
    for page in 0.. {
        assert!(page < 100, "it ends");
        let Page { bans, next } = book.list(places, after.as_deref(), limit).unwrap();
        assert!(bans.len() == limit || next.is_none(), "full but for the last");
        shown.extend(bans.iter().map(|ban| {
            let site = ban.site.as_ref().map_or("fleet", Fqdn::as_str);
            let end = ban.expires.map_or(0, |end| (end.0 - START) / MINUTE);
            format!("{site} {} {} {end}", ban.prefix, ban.source.label())
        }));
        after = next;
        if after.is_none() {
            break;
        }
    }
    shown
}

#[tokio::test]
async fn pages_show_each_ban_once_in_order() {
    let folder = Folder::new("bans");
    let (store, hands) = (sqlite(&folder), Hands::new());
    let book = open(&store, &hands).await;
    // A move of the first site: one of its environments has a ban of rules that the other has not, and one that is longer.
    let moving = site("a.example.jp", &[3, 9]);
    let other = site("b.example.jp", &[4]);
    let put = async |place: &Where, making| {
        book.put(place, vec![making], &operator(), hands.now()).await.unwrap();
    };
    put(&other, making(net("2001:db8::/64"), 0, false)).await;
    put(&other, making(net("192.0.2.0/24"), 5, true)).await;
    put(&Where::Fleet, making(net("198.51.100.0/24"), 5, false)).await;
    put(&moving, making(net("192.0.2.0/25"), 5, false)).await;
    put(&moving, making(net("192.0.2.0/24"), 1, false)).await;
    for (prefix, minutes) in [("192.0.2.0/24", 7), ("203.0.113.9/32", 8)] {
        let ban = of_rules(FleetScope::Tenant(9), net(prefix), minutes);
        book.put_of_node(&name("a1"), ban, hands.now()).unwrap();
    }
    until(&book, |book| all(book).len() == 8).await;
    let expected = [
        "fleet 198.51.100.0/24 operator 5",
        "a.example.jp 192.0.2.0/24 rules 7",
        "a.example.jp 192.0.2.0/25 operator 5",
        "a.example.jp 203.0.113.9/32 rules 8",
        "b.example.jp 192.0.2.0/24 import 5",
        "b.example.jp 2001:db8::/64 operator 0",
    ];
    let places = [other.clone(), Where::Fleet, moving.clone(), other];
    for limit in [1, 2, 3, 5, 6, 7, usize::MAX] {
        if limit == usize::MAX {
            assert_eq!(book.list(&places, None, limit).unwrap().bans.len(), expected.len());
        } else {
            assert_eq!(pages(&book, &places, limit).await, expected, "{limit}");
        }
    }
    assert_eq!(pages(&book, &[moving], 2).await, expected[1..4], "a place by itself");
    hands.go(5 * MINUTE);
    let later = ["a.example.jp 192.0.2.0/24 rules 7", "a.example.jp 203.0.113.9/32 rules 8"];
    assert_eq!(pages(&book, &places, 1).await[..2], later, "what has run out is not shown");
}

#[tokio::test]
async fn a_place_to_go_on_from_is_one_of_ours() {
    let folder = Folder::new("bans");
    let book = open(&sqlite(&folder), &Hands::new()).await;
    for after in ["", "x", "-", "-/", "www.example.jp/x", "/192.0.2.0/24x"] {
        let error = book.list(&[Where::Fleet], Some(after), 1).unwrap_err();
        assert!(matches!(error, BanError::After(_)), "{after}: {error}");
        assert!(error.to_string().ends_with("use `next` of the answer before"));
    }
    for after in ["-/192.0.2.0/24", "www.example.jp/2001:db8::/64"] {
        assert_eq!(book.list(&[Where::Fleet], Some(after), 1).unwrap(), Page::default());
    }
}
