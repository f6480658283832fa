//! Which C library an ELF file of 64 bits is linked with, by what the loader of the system reads.

use object::{
    Endianness,
    elf::{self, Dyn64, FileHeader64, ProgramHeader64},
    pod::slice_from_all_bytes,
    read::elf::{Dyn, FileHeader, ProgramHeader},
};
use std::io::{Read, Seek, SeekFrom};

/// More of a dynamic section, or of a name, is not read.
const MOST_DYNAMIC_BYTES: u64 = 1 << 20;
const MOST_NAME_BYTES: u64 = 256;

/// Whether a file is linked with musl: its interpreter is musl's, or it has none and needs musl's library. A file without
/// both, or whose headers are broken, is not.
pub fn is_of_musl(file: &mut (impl Read + Seek)) -> bool {
    needs_musl(file).unwrap_or(false)
}

fn needs_musl(file: &mut (impl Read + Seek)) -> Option<bool> {
    let header = bytes_at(file, 0, size_of::<FileHeader64<Endianness>>() as u64)?;
    let header = FileHeader64::<Endianness>::parse(header.as_slice()).ok()?;
    let endian = header.endian().ok()?;
    let size = size_of::<ProgramHeader64<Endianness>>() as u64;
    let segments = bytes_at(file, header.e_phoff(endian), size * u64::from(header.e_phnum(endian)))?;
    let segments: &[ProgramHeader64<Endianness>] = slice_from_all_bytes(&segments).ok()?;
    let segment = |kind| segments.iter().find(|segment| segment.p_type(endian) == kind);
    if let Some(interpreter) = segment(elf::PT_INTERP) {
        let name = name_at(file, interpreter.p_offset(endian))?;
        return Some(super::paths::split(&name).1.starts_with("ld-musl-"));
    }
    let dynamic = segment(elf::PT_DYNAMIC)?;
    let entry = size_of::<Dyn64<Endianness>>() as u64;
    let size = dynamic.p_filesz(endian).min(MOST_DYNAMIC_BYTES) / entry * entry;
    let dynamic = bytes_at(file, dynamic.p_offset(endian), size)?;
    let dynamic: &[Dyn64<Endianness>] = slice_from_all_bytes(&dynamic).ok()?;
    let entries = || dynamic.iter().take_while(|entry| entry.d_tag(endian) != elf::DT_NULL);
    let names = entries().find(|entry| entry.d_tag(endian) == elf::DT_STRTAB)?.d_val(endian);
    // Names are found by their addresses in memory.
    let offset = segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
        let inside = names.checked_sub(segment.p_vaddr(endian))?;
        (inside < segment.p_filesz(endian)).then(|| segment.p_offset(endian).checked_add(inside))?
    })?;
    let mut is_of_musl = false;
    for needed in entries().filter(|entry| entry.d_tag(endian) == elf::DT_NEEDED) {
        let name = name_at(file, offset.checked_add(needed.d_val(endian))?)?;
        if name == "libc.so.6" {
            return Some(false);
        }
        is_of_musl |= name == "libc.so" || name.starts_with("libc.musl-");
    }
    Some(is_of_musl)
}

fn bytes_at(file: &mut (impl Read + Seek), offset: u64, size: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == size).then_some(bytes)
}

fn name_at(file: &mut (impl Read + Seek), offset: u64) -> Option<String> {
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST_NAME_BYTES).read_to_end(&mut bytes).ok()?;
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portability::test_packages::{X86_64, elf_linked, elf_with};
    use std::io::Cursor;

    #[test]
    fn the_library_is_the_one_that_is_loaded() {
        let is = |interpreter, needed: &[&str]| is_of_musl(&mut Cursor::new(elf_linked(X86_64, interpreter, needed)));
        assert!(is(None, &["libm.so", "libc.so"]));
        assert!(is(None, &["libc.musl-x86_64.so.1"]));
        assert!(is(Some("/lib/ld-musl-x86_64.so.1"), &[]));
        assert!(!is(None, &["libc.so", "libc.so.6"]));
        assert!(!is(Some("/lib64/ld-linux-x86-64.so.2"), &["libc.so"]));
        assert!(!is(None, &[]));
        let text = b"\0libc.so\0\0libc.musl-x86_64.so.1\0/lib/ld-musl-x86_64.so.1\0";
        assert!(!is_of_musl(&mut Cursor::new(elf_with(X86_64, 3, text))));
        let linked = elf_linked(X86_64, None, &["libc.so"]);
        for end in 0..linked.len() - 1 {
            assert!(!is_of_musl(&mut Cursor::new(&linked[..end])), "{end}");
        }
    }
}
