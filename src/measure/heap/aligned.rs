//! Memory aligned to more than `malloc` promises, without `posix_memalign`.
//!
//! When glibc cuts an aligned block out of a larger one, it keeps the splinters on both sides in the
//! thread's cache. The block, once freed, is then too short for the same request, and the heap grows
//! instead: some 14 times, until the cache is full of splinters (glibc bug 14581). A program that takes and
//! frees one large aligned block in turns, as matrix libraries do, holds many times what it asked for, and
//! its first runs pay for fresh pages.
//!
//! Unsafe code is here because [`GlobalAlloc`] cannot be implemented without.

#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr,
};

/// The alignment of `malloc` on 64-bit Linux, and the least room in front of an aligned block.
const MALLOC_ALIGN: usize = 16;

/// The system's allocator. Over-aligned blocks are taken with room to move up; the distance is stored in front of them.
pub struct AlignedSystem;

fn is_over_aligned(layout: Layout) -> bool {
    layout.align() > MALLOC_ALIGN
}

/// `layout` with room to move up; `None` if that is too large.
fn roomy(layout: Layout) -> Option<Layout> {
    Layout::from_size_align(layout.size().checked_add(layout.align())?, MALLOC_ALIGN).ok()
}

/// Takes memory for `layout` from `allocate`, and moves up in it.
///
/// # Safety
/// `allocate` returns null or memory for the layout that it is given.
unsafe fn over_aligned(layout: Layout, allocate: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
    let Some(roomy) = roomy(layout) else { return ptr::null_mut() };
    let start = allocate(roomy);
    if start.is_null() {
        return start;
    }
    let moved = layout.align() - start.addr() % layout.align();
    // SAFETY: `start` is a multiple of MALLOC_ALIGN, as is the alignment, so `moved` is at least
    // MALLOC_ALIGN, which has place for a usize, and at most the alignment, by which there is more room.
    unsafe {
        let aligned = start.add(moved);
        aligned.cast::<usize>().sub(1).write(moved);
        aligned
    }
}

// SAFETY: what is not over-aligned is `System`'s. The rest lies within a block of `System`'s, aligned and
// with the offset in front of it, from which `dealloc` finds the block and its layout again. `realloc`
// of such is the trait's own, by these.
unsafe impl GlobalAlloc for AlignedSystem {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_over_aligned(layout) {
            return unsafe { over_aligned(layout, |roomy| System.alloc(roomy)) };
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_over_aligned(layout) {
            return unsafe { over_aligned(layout, |roomy| System.alloc_zeroed(roomy)) };
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if is_over_aligned(layout) {
            return unsafe { self.move_to(pointer, layout, new_size) };
        }
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(roomy) = is_over_aligned(layout).then(|| roomy(layout)).flatten() else {
            return unsafe { System.dealloc(pointer, layout) };
        };
        unsafe {
            let moved = pointer.cast::<usize>().sub(1).read();
            System.dealloc(pointer.sub(moved), roomy);
        }
    }
}

impl AlignedSystem {
    /// `realloc` by taking, copying and freeing.
    unsafe fn move_to(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller of `realloc` promises that the new size makes a layout and is not 0.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(pointer, new, layout.size().min(new_size));
                self.dealloc(pointer, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_keep_their_content_and_can_be_freed() {
        for align in [1usize, 8, 16, 32, 64, 128, 4096, 1 << 21] {
            let layout = Layout::from_size_align(1000, align).unwrap();
            // SAFETY: no size is 0, every block is written before it is read, within its size, and is freed
            // by the layout that it has by then.
            unsafe {
                let zeroed = AlignedSystem.alloc_zeroed(layout);
                assert!(zeroed.addr().is_multiple_of(align));
                assert!((0..1000).all(|at| *zeroed.add(at) == 0));
                let block = AlignedSystem.alloc(layout);
                assert!(block.addr().is_multiple_of(align));
                block.write_bytes(7, 1000);
                let grown = AlignedSystem.realloc(block, layout, 5000);
                assert!(grown.addr().is_multiple_of(align));
                assert!((0..1000).all(|at| *grown.add(at) == 7));
                AlignedSystem.dealloc(grown, Layout::from_size_align(5000, align).unwrap());
                AlignedSystem.dealloc(zeroed, layout);
            }
        }
    }

    #[test]
    fn an_allocation_that_fails_is_null() {
        let layout = Layout::from_size_align(isize::MAX as usize - 64, 64).unwrap();
        // SAFETY: the size is not 0.
        assert!(unsafe { AlignedSystem.alloc(layout) }.is_null());
    }
}
