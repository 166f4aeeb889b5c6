//! The two calls of bpf(2) that aya does not offer: a pin as a descriptor whatever lies in it, and the program behind any
//! kind of link replaced (aya does XDP's only).
#![expect(unsafe_code, reason = "bpf(2) has no safe wrapper for these two commands")]

use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::libc;

/// Commands and a flag of `linux/bpf.h`.
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_LINK_UPDATE: libc::c_long = 29;
const BPF_F_REPLACE: u32 = 1 << 2;

/// What BPF_OBJ_GET reads of `union bpf_attr`.
#[repr(C)]
struct ObjectGet {
    path: u64,
    fd: u32,
    flags: u32,
}

/// What BPF_LINK_UPDATE reads of `union bpf_attr`.
#[repr(C)]
struct LinkUpdate {
    link_fd: u32,
    new_fd: u32,
    flags: u32,
    old_fd: u32,
}

/// Opens a pin: map, program or link.
pub(super) fn open_pin(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let attr = ObjectGet { path: path.as_ptr() as u64, fd: 0, flags: 0 };
    let fd = bpf(BPF_OBJ_GET, &attr)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts `new` behind a link, if `old` is what is there now: each packet meets one of them, none meets neither.
pub(super) fn replace_behind_link(
    link: BorrowedFd<'_>,
    old: BorrowedFd<'_>,
    new: BorrowedFd<'_>,
) -> io::Result<()> {
    let number = |fd: BorrowedFd<'_>| fd.as_raw_fd().unsigned_abs();
    let attr =
        LinkUpdate { link_fd: number(link), new_fd: number(new), flags: BPF_F_REPLACE, old_fd: number(old) };
    bpf(BPF_LINK_UPDATE, &attr).map(drop)
}

fn bpf<T>(command: libc::c_long, attr: &T) -> io::Result<i32> {
    // SAFETY: `attr` is alive and of the size that goes with it; the kernel reads no further, takes what lies behind it as
    // 0, and writes nothing for these commands.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}
