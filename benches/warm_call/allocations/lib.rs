//! Preloaded into a program (`LD_PRELOAD`), counts its allocations in the file that the variable `ALLOCATIONS` names: a
//! 64-bit number, there for others to read at any time. For glibc, whose own functions do the work.
//!
//! A growing or shrinking reallocation counts too, a release does not.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use libc::{EINVAL, ENOMEM, MAP_FAILED, MAP_SHARED, O_RDWR, PROT_READ, PROT_WRITE, c_int, c_void, size_t};
use std::{
    ptr,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed},
};

unsafe extern "C" {
    fn __libc_malloc(size: size_t) -> *mut c_void;
    fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
    fn __libc_memalign(align: size_t, size: size_t) -> *mut c_void;
}

static COUNTER: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOADING: extern "C" fn() = share_counter;

extern "C" fn share_counter() {
    // SAFETY: the strings end with a zero, and the mapping is checked before it is used. It is never unmapped, and a
    // page that begins at a page's address is aligned for a number.
    unsafe {
        let path = libc::getenv(c"ALLOCATIONS".as_ptr());
        if path.is_null() {
            return;
        }
        let file = libc::open(path, O_RDWR);
        let page = libc::mmap(ptr::null_mut(), size_of::<AtomicU64>(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if page != MAP_FAILED {
            COUNTER.store(page.cast(), Relaxed);
        }
    }
}

fn count() {
    // SAFETY: it is null or a number that lives as long as the process.
    if let Some(counter) = unsafe { COUNTER.load(Relaxed).as_ref() } {
        counter.fetch_add(1, Relaxed);
    }
}

// SAFETY, of all that follow: each passes on what it is given to the function that it stands in for, whose promises and
// conditions are its own.

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
    count();
    unsafe { __libc_malloc(size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(number: size_t, size: size_t) -> *mut c_void {
    count();
    unsafe { __libc_calloc(number, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    count();
    unsafe { __libc_realloc(block, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(block: *mut *mut c_void, align: size_t, size: size_t) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        return EINVAL;
    }
    count();
    let memory = unsafe { __libc_memalign(align, size) };
    if memory.is_null() {
        return ENOMEM;
    }
    unsafe { block.write(memory) };
    0
}
