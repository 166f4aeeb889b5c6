//! FLOWS: connections to shared addresses and the tenant that SNI or Host named. Written from every worker, once a
//! connection.

use std::net::SocketAddr;

use aya::maps::{HashMap, MapData};
use waf_common::address::Address;
use waf_common::flow::{FlowKey, FlowValue};
use waf_common::names;

use super::maps::{absent_is_done, open, read, write};
use super::{KernelError, Pins};

pub(super) struct Flows {
    map: HashMap<MapData, FlowKey, FlowValue>,
}

impl Flows {
    pub fn open(pins: &Pins) -> Result<Self, KernelError> {
        Ok(Self { map: open(pins, names::MAP_FLOWS)? })
    }

    pub fn set(&mut self, key: FlowKey, value: FlowValue) -> Result<(), KernelError> {
        self.map.insert(key, value, 0).map_err(write(names::MAP_FLOWS))
    }

    pub fn remove(&mut self, key: &FlowKey) -> Result<(), KernelError> {
        absent_is_done(self.map.remove(key)).map_err(write(names::MAP_FLOWS))
    }

    /// The tenant of a connection, if it is known.
    pub fn tenant(&self, key: &FlowKey) -> Option<u32> {
        self.map.get(key, 0).ok().map(|value| value.tenant)
    }

    /// Forgets all connections: those of an earlier run are gone, and their ports come again.
    pub fn clear(&mut self) -> Result<(), KernelError> {
        let keys: Vec<FlowKey> = self.map.keys().collect::<Result<_, _>>().map_err(read(names::MAP_FLOWS))?;
        keys.iter().try_for_each(|key| self.remove(key))
    }

    pub fn len(&self) -> Result<usize, KernelError> {
        self.map.keys().try_fold(0, |count, key| key.map(|_| count + 1)).map_err(read(names::MAP_FLOWS))
    }
}

/// Client and service address as incoming packets carry them: IPv4-mapped addresses of a dual-stack socket are IPv4.
pub(super) fn flow_key(source: SocketAddr, destination: SocketAddr) -> FlowKey {
    FlowKey {
        source: Address::from(source.ip()).octets,
        destination: Address::from(destination.ip()).octets,
        source_port: source.port(),
        destination_port: destination.port(),
    }
}
