//! The wiring of a fleet: each carrier a router with three nodes behind it, one cable a node; the client, the origin and
//! the control plane each have a cable to either router. A node reaches everything by its one cable, as a rented server
//! does. Addresses are the same in every run: namespaces keep runs apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use anyhow::Result;

use crate::lab::netns::{End, Namespace, cable};
use crate::lab::topology::{CARRIERS, Carrier, EDGE, Network};

/// Nodes of each carrier.
pub const NODES: u8 = 3;
/// The interface of a router that faces the control plane.
const UPWARD: &str = "eth3";
/// Where the customers' server is reached from everywhere.
pub const ORIGIN: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));
/// Where the control plane is reached from everywhere.
pub const CONTROL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 200, 0, 2));

/// One of the fleet's six nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    pub carrier: Carrier,
    /// 1..=[`NODES`]
    pub number: u8,
}

impl Seat {
    /// All, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        CARRIERS.into_iter().flat_map(|carrier| (1..=NODES).map(move |number| Self { carrier, number }))
    }

    /// First part of the node's name; the run id follows.
    pub fn name(self) -> String {
        let letter = self.carrier.name().trim_start_matches("carrier-");
        format!("{letter}{}", self.number)
    }

    /// The node's own address: management, and what it reaches the origin from.
    pub const fn own(self) -> IpAddr {
        self.link(2)
    }

    const fn router(self) -> IpAddr {
        self.link(1)
    }

    const fn link(self, host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 100 + self.carrier.number(), self.number, host))
    }

    const fn link6(self, host: u16) -> IpAddr {
        let carrier = 0x100 + self.carrier.number() as u16;
        IpAddr::V6(Ipv6Addr::new(0xfd00, carrier, 0, self.number as u16, 0, 0, 0, host))
    }

    /// The network that its IPv4 service addresses are of.
    pub const fn service(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.carrier.number(), self.number, host)
    }

    /// The IPv6 addresses routed to it.
    pub fn service6(self) -> Ipv6Addr {
        Ipv6Addr::new(
            0x2001,
            0xdb8,
            0x9 + u16::from(self.carrier.number()),
            u16::from(self.number),
            0,
            0,
            0,
            0,
        )
    }
}

/// The network of a fleet.
#[derive(Debug)]
pub struct FleetNetwork {
    pub network: Network,
    pub control: Rc<Namespace>,
    pub nodes: Vec<(Seat, Rc<Namespace>)>,
}

impl FleetNetwork {
    /// Lays everything.
    ///
    /// # Errors
    /// No root, or `ip` complains.
    pub fn new(run_id: &str) -> Result<Self> {
        let make = |role: &str| Namespace::new(&format!("{run_id}-{role}")).map(Rc::new);
        let network = Network::unconnected(run_id)?;
        let control = make("control")?;
        let nodes = Seat::all().map(|seat| Ok((seat, make(&seat.name())?))).collect::<Result<_>>()?;
        let fleet = Self { network, control, nodes };
        for (namespace, address) in [(&fleet.network.origin, ORIGIN), (&fleet.control, CONTROL)] {
            namespace.address("lo", &format!("{address}/32"))?;
        }
        for carrier in CARRIERS {
            fleet.connect(carrier)?;
        }
        for (seat, namespace) in &fleet.nodes {
            fleet.connect_node(*seat, namespace)?;
        }
        Ok(fleet)
    }

    fn connect(&self, carrier: Carrier) -> Result<()> {
        let (network, router) = (&self.network, self.network.carrier(carrier));
        network.connect(carrier)?;
        let [upward, down] = [1, 2].map(|host| upward(carrier, host));
        cable(
            End { namespace: router, device: UPWARD, addresses: &[&format!("{upward}/24")] },
            End {
                namespace: &self.control,
                device: carrier.client_device(),
                addresses: &[&format!("{down}/24")],
            },
        )?;
        router.sysctl("net/ipv4/ip_forward", "1")?;
        router.sysctl("net/ipv6/conf/all/forwarding", "1")?;
        router.route(&format!("{CONTROL}/32"), down)?;
        router.route(&format!("{ORIGIN}/32"), carrier.origin())?;
        let (own, number) = (format!("10.{}.0.0/16", 100 + carrier.number()), carrier.number());
        self.control.route(&own, upward)?;
        network.origin.route(&own, carrier.inside())?;
        // A visitor may come to either carrier from any of its addresses.
        let other = if carrier == Carrier::A { Carrier::B } else { Carrier::A };
        router.route(&format!("{}/24", other.client(0)), carrier.client(2))?;
        network.client.route(&format!("10.{number}.0.0/16"), carrier.edge())?;
        network.client.route(&format!("2001:db8:{:x}::/48", 9 + number), carrier.edge6())
    }

    fn connect_node(&self, seat: Seat, namespace: &Namespace) -> Result<()> {
        let router = self.network.carrier(seat.carrier);
        let device = format!("node{}", seat.number);
        cable(
            End {
                namespace: router,
                device: &device,
                addresses: &[&format!("{}/24", seat.router()), &format!("{}/64", seat.link6(1))],
            },
            End {
                namespace,
                device: EDGE,
                addresses: &[&format!("{}/24", seat.own()), &format!("{}/64", seat.link6(2))],
            },
        )?;
        namespace.route("0.0.0.0/0", seat.router())?;
        namespace.route("::/0", seat.link6(1))?;
        router.route(&format!("{}/24", seat.service(0)), seat.own())?;
        router.route(&format!("{}/64", seat.service6()), seat.link6(2))
    }
}

/// Either end of the cable between a carrier's router (1) and the control plane (2).
const fn upward(carrier: Carrier, host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 200, carrier.number(), host))
}
