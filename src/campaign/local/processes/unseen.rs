//! Where a process does not see the variables and the memory of others.

/// Ends nothing: processes that have left their group are not found here.
pub fn end_all(_: impl Fn(&[u8]) -> bool) {}

pub fn max_memory_mb(_: u32) -> Option<u32> {
    None
}
