//! One macro makes every type that crosses the kernel border; it knows nothing of what the types mean.

/// Declares a plain-old-data type of the ABI: `repr(C)`, bytemuck `Pod` (which refuses implicit padding), its size
/// asserted at compile time, and `aya::Pod` with the feature `user`.
macro_rules! abi_type {
    ($(#[$meta:meta])* pub struct $name:ident: $size:literal { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty),* }
        const _: () = assert!(core::mem::size_of::<$name>() == $size);
        $crate::abi::user_pod!($name);
    };
}

#[cfg(feature = "user")]
macro_rules! user_pod {
    ($name:ident) => {
        #[expect(unsafe_code, reason = "aya asks for the promise that bytemuck has just checked")]
        // SAFETY: the type is `bytemuck::Pod`: no padding, every bit pattern valid.
        unsafe impl aya::Pod for $name {}
    };
}

#[cfg(not(feature = "user"))]
macro_rules! user_pod {
    ($name:ident) => {};
}

pub(crate) use abi_type;
pub(crate) use user_pod;
