//! The lab's wiring: a client with a cable to each carrier, each carrier with a cable to the origin, and the carriers'
//! service prefixes routed to them. Addresses are the same in every run: namespaces keep runs apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use anyhow::Result;

use super::netns::{End, Namespace, cable};

/// The interface of a carrier that faces the client: the filter is attached here.
pub const EDGE: &str = "eth1";
/// The interface of a carrier that faces the origin.
pub const INSIDE: &str = "eth2";

/// One of the two carriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    A,
    B,
}

/// Both, in the order of their names.
pub const CARRIERS: [Carrier; 2] = [Carrier::A, Carrier::B];

impl Carrier {
    /// As node.toml and the namespace name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "carrier-a",
            Self::B => "carrier-b",
        }
    }

    /// First part of its node's name; the run id follows.
    pub const fn node(self) -> &'static str {
        match self {
            Self::A => "a1",
            Self::B => "b1",
        }
    }

    pub const fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }

    /// The client's interface towards this carrier.
    pub const fn client_device(self) -> &'static str {
        match self {
            Self::A => "eth1",
            Self::B => "eth2",
        }
    }

    /// A source address at the client: `.2` is the ordinary visitor, `.66` the attacker, `.101` and on are others.
    pub const fn client(self, host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 100 + self.number(), 0, host))
    }

    /// A source address of the other family, all in one /64.
    pub const fn client6(self, host: u16) -> IpAddr {
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0x100 + self.number() as u16, 0, 0, 0, 0, 0, host))
    }

    /// The carrier's own address on the client's cable: management, never a service.
    pub const fn edge(self) -> IpAddr {
        self.client(1)
    }

    pub const fn edge6(self) -> IpAddr {
        self.client6(1)
    }

    /// An address of the carrier's IPv4 service prefix.
    pub const fn service(self, host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, self.number(), 0, host))
    }

    /// An address of its IPv6 service prefix, written with the same digits: host 10 is `::10`.
    pub const fn service6(self, host: u8) -> IpAddr {
        let digits = (host / 10 * 16 + host % 10) as u16;
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x9 + self.number() as u16, 0, 0, 0, 0, digits))
    }

    pub fn service_prefixes(self) -> [String; 2] {
        [format!("{}/24", self.service(0)), format!("{}/64", self.service6(0))]
    }

    /// The origin as this carrier sees it.
    pub const fn origin(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 9, self.number(), 2))
    }

    /// The carrier as the origin sees it.
    pub const fn inside(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 9, self.number(), 1))
    }

    pub fn origin_network(self) -> String {
        format!("10.9.{}.0/24", self.number())
    }
}

/// Sources at the client beside the ordinary visitor.
pub const ATTACKER: u8 = 66;
/// Sources that send a few attacks each: too few to be banned.
pub const PROBES: [u8; 6] = [101, 102, 103, 104, 105, 106];

/// The namespaces that every lab has.
#[derive(Debug)]
pub struct Network {
    pub client: Rc<Namespace>,
    pub origin: Rc<Namespace>,
    carriers: [Rc<Namespace>; 2],
}

impl Network {
    /// Lays everything, each carrier being its one node.
    ///
    /// # Errors
    /// No root, or `ip` complains.
    pub fn new(run_id: &str) -> Result<Self> {
        let network = Self::unconnected(run_id)?;
        for carrier in CARRIERS {
            network.connect(carrier)?;
            let [v4, v6] = carrier.service_prefixes();
            network.client.route(&v4, carrier.edge())?;
            network.client.route(&v6, carrier.edge6())?;
        }
        Ok(network)
    }

    /// The namespaces alone.
    ///
    /// # Errors
    /// No root, or the names are taken.
    pub fn unconnected(run_id: &str) -> Result<Self> {
        let make = |role: &str| Namespace::new(&format!("{run_id}-{role}")).map(Rc::new);
        Ok(Self {
            client: make("client")?,
            origin: make("origin")?,
            carriers: [make(Carrier::A.name())?, make(Carrier::B.name())?],
        })
    }

    pub fn carrier(&self, carrier: Carrier) -> &Rc<Namespace> {
        let [a, b] = &self.carriers;
        match carrier {
            Carrier::A => a,
            Carrier::B => b,
        }
    }

    /// Lays the cables of a carrier to the client and to the origin.
    ///
    /// # Errors
    /// `ip` complains.
    pub fn connect(&self, carrier: Carrier) -> Result<()> {
        let namespace = self.carrier(carrier);
        let visitor = [format!("{}/24", carrier.client(2)), format!("{}/64", carrier.client6(2))];
        let edge = [format!("{}/24", carrier.edge()), format!("{}/64", carrier.edge6())];
        cable(
            End { namespace: &self.client, device: carrier.client_device(), addresses: &each(&visitor) },
            End { namespace, device: EDGE, addresses: &each(&edge) },
        )?;
        // After the visitor's, so that they are never chosen unasked.
        for host in PROBES.into_iter().chain([ATTACKER]) {
            self.client.address(carrier.client_device(), &format!("{}/24", carrier.client(host)))?;
        }
        let (inside, origin) = (format!("{}/24", carrier.inside()), format!("{}/24", carrier.origin()));
        cable(
            End { namespace, device: INSIDE, addresses: &[&inside] },
            End { namespace: &self.origin, device: carrier.client_device(), addresses: &[&origin] },
        )
    }
}

fn each(addresses: &[String; 2]) -> [&str; 2] {
    let [v4, v6] = addresses;
    [v4, v6]
}
