//! Packages that tests make.

use super::{Finding, FunctionDescription, Package, PackageName, Portability, assess::assess_within, limits::Limits};
use crate::protocol::Architecture;
use std::io::{Cursor, Write};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub const X86_64: u16 = 62;
pub const ARM64: u16 = 183;
pub const ARM: u16 = 40;

/// An ELF file of 64 bits: no more than its header, and a text.
pub fn elf_with(machine: u16, kind: u16, text: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend(kind.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.resize(64, 0);
    file.extend(text);
    file
}

/// A shared library or a program.
pub fn elf(machine: u16) -> Vec<u8> {
    elf_with(machine, 3, b"")
}

/// A shared library or a program with an interpreter and the libraries that it needs.
pub fn elf_linked(machine: u16, interpreter: Option<&str>, needed: &[&str]) -> Vec<u8> {
    const ADDRESS: u64 = 0x1000;
    let dynamic = 64 + 3 * 56;
    let names = dynamic + 16 * (needed.len() as u64 + 2);
    let mut texts = vec![0];
    let mut text = |name: &str| {
        let start = texts.len() as u64;
        texts.extend(name.bytes().chain([0]));
        start
    };
    let interpreter = interpreter.map(|name| names + text(name));
    let entries: Vec<[u64; 2]> =
        needed.iter().map(|name| [1, text(name)]).chain([[5, ADDRESS + names], [0, 0]]).collect();
    let size = names + texts.len() as u64;
    let mut file = elf(machine);
    file[32..40].copy_from_slice(&64_u64.to_le_bytes());
    file[54..58].copy_from_slice(&[56, 0, 3, 0]);
    let interpreter = interpreter.map_or([0, 0, 0], |offset| [3, offset, size - offset]);
    for [kind, offset, length] in [[1, 0, size], [2, dynamic, names - dynamic], interpreter] {
        file.extend([kind, offset, ADDRESS + offset, 0, length, length, 8].iter().flat_map(|word| word.to_le_bytes()));
    }
    file.extend(entries.iter().flatten().flat_map(|word| word.to_le_bytes()));
    file.extend(texts);
    file
}

/// A Mach-O library of 64 bits, for Apple's processors.
pub fn mach_o() -> Vec<u8> {
    let words: [u32; 8] = [0xfeed_facf, 0x0100_000c, 0, 6, 0, 0, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A PE file of 64 bits; an assembly of .NET if `is_assembly`.
pub fn portable_executable(machine: u16, is_assembly: bool) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend(0x40_u32.to_le_bytes());
    file.extend(b"PE\0\0");
    file.extend(machine.to_le_bytes());
    file.resize(0x40 + 20, 0);
    file.extend(240_u16.to_le_bytes());
    file.resize(0x40 + 24, 0);
    file.extend(0x20b_u16.to_le_bytes());
    file.resize(0x40 + 24 + 108, 0);
    file.extend(16_u32.to_le_bytes());
    file.resize(0x40 + 24 + 112 + 14 * 8, 0);
    file.extend(if is_assembly { [1_u32, 1] } else { [0, 0] }.iter().flat_map(|word| word.to_le_bytes()));
    file.resize(0x40 + 24 + 240, 0);
    file
}

pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(CompressionMethod::Deflated, files)
}

pub fn zip_with(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub fn function(runtime: &str) -> FunctionDescription {
    FunctionDescription {
        runtime: Some(runtime.to_owned()),
        handler: Some("app.handler".to_owned()),
        architecture: Architecture::X86_64,
        image: None,
    }
}

pub fn package(name: PackageName, archive: &[u8]) -> Package<Cursor<Vec<u8>>> {
    Package { name, compatible_architectures: None, archive: Ok(Cursor::new(archive.to_vec())) }
}

/// The answer for a function on x86_64 with this code.
pub fn assessed(runtime: &str, files: &[(&str, &[u8])]) -> Portability {
    super::assess(&function(runtime), vec![package(PackageName::Code, &zip(files))]).unwrap()
}

/// The answer for a function of Python whose code is this archive.
pub fn assessed_archive(archive: &[u8], limits: &Limits) -> Portability {
    assess_within(limits, &function("python3.13"), vec![package(PackageName::Code, archive)]).unwrap()
}

impl Portability {
    pub fn sentences(&self) -> Vec<String> {
        self.findings.iter().map(Finding::sentence).collect()
    }
}
