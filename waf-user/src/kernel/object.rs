//! The BPF object: read, compared with the pinned maps, loaded. What is done with its programs is load's, swap's and
//! explain's matter.

use std::path::Path;

use aya::maps::MapData;
use aya::programs::ProgramError;
use aya::{Ebpf, EbpfLoader};
use waf_common::names;

use super::log::LogLevel;
use super::{KernelError, Pins};

/// The global that aya-log reads before each line.
const LOG_LEVEL: &str = "AYA_LOG_LEVEL";

/// The bytes of an object.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, KernelError> {
    std::fs::read(path)
        .map_err(|source| KernelError::Object { path: path.to_owned(), source: Box::new(source) })
}

/// Loads it with maps of its own.
pub(super) fn load(data: &[u8], path: &Path, level: LogLevel) -> Result<Ebpf, KernelError> {
    finish(EbpfLoader::new(), data, path, level)
}

/// Loads it on the pinned maps; what is not pinned it makes for itself.
pub(super) fn load_on_pins(
    data: &[u8],
    path: &Path,
    level: LogLevel,
    pins: &Pins,
) -> Result<Ebpf, KernelError> {
    load_on(data, path, level, pins, &names::MAPS)
}

/// As [`load_on_pins`], with some of the pinned maps only.
pub(super) fn load_on(
    data: &[u8],
    path: &Path,
    level: LogLevel,
    pins: &Pins,
    shared: &[&'static str],
) -> Result<Ebpf, KernelError> {
    let mut loader = EbpfLoader::new();
    for name in shared {
        loader.map_pin_path(name, pins.map(name));
    }
    finish(loader, data, path, level)
}

fn finish(
    mut loader: EbpfLoader<'_>,
    data: &[u8],
    path: &Path,
    level: LogLevel,
) -> Result<Ebpf, KernelError> {
    // An object that logs nothing has no such global, and is welcome.
    loader.override_global(LOG_LEVEL, level.byte(), false);
    loader
        .load(data)
        .map_err(|source| KernelError::Object { path: path.to_owned(), source: Box::new(source) })
}

/// Compares what the object declares with what is pinned, map by map: aya takes a pin of another size without a word, and
/// programs would then read past its values.
pub(super) fn check_maps(data: &[u8], path: &Path, pins: &Pins) -> Result<(), KernelError> {
    let object = aya_obj::Object::parse(data)
        .map_err(|source| KernelError::Object { path: path.to_owned(), source: Box::new(source) })?;
    for name in names::MAPS {
        let declared = object.maps.get(name).ok_or(KernelError::Missing { what: "map", name })?;
        let pin = pins.map(name);
        let pinned = MapData::from_pin(&pin)
            .and_then(|map| map.info())
            .map_err(|source| KernelError::Open { path: pin, source: Box::new(source) })?;
        let kind = pinned.map_type().map_err(|source| KernelError::map("inspect", name, source))?;
        for (what, found, expected) in [
            ("type", kind as u32, declared.map_type()),
            ("key size", pinned.key_size(), declared.key_size()),
            ("value size", pinned.value_size(), declared.value_size()),
            ("max_entries", pinned.max_entries(), declared.max_entries()),
            ("flags", pinned.map_flags(), declared.map_flags()),
        ] {
            if found != expected {
                return Err(KernelError::NewSchema { name, what, found, expected, schema: names::SCHEMA });
            }
        }
    }
    Ok(())
}

/// A program by name and kind.
pub(super) fn program_mut<'a, P>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, KernelError>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program, Error = ProgramError>,
{
    let program = ebpf.program_mut(name).ok_or(KernelError::Missing { what: "program", name })?;
    <&mut P>::try_from(program).map_err(|source| KernelError::Program { name, source: Box::new(source) })
}
