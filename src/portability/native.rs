//! Native code, recognized by the first bytes of a file.

use crate::protocol::{Architecture, display_as_serialized};
use object::{
    Endianness, FileKind, elf, macho, pe,
    read::{elf::FileHeader, macho::MachHeader, pe::ImageNtHeaders},
};
use serde::Serialize;

/// How much of a file the header is looked for in.
pub const HEAD_BYTES: usize = 4096;

/// Native code of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native {
    pub system: System,
    pub machine: Machine,
    /// Whether it is an assembly of .NET that is compiled for one platform.
    pub is_assembly: bool,
}

/// The machine that native code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    Arm64,
    X86_64,
    /// 32-bit Arm.
    Arm,
    /// 32-bit x86.
    X86,
    Ppc64,
    Riscv,
    S390,
    /// Several, in one file of macOS.
    Universal,
    Other,
}

/// The system that native code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// With glibc, or without a C library.
    Linux,
    /// With musl, which Lambda does not have.
    LinuxMusl,
    MacOs,
    Windows,
    /// FreeBSD, Solaris and others that have files like Linux's.
    OtherUnix,
}

display_as_serialized!(Machine, System);

impl Machine {
    /// The architecture of Lambda that it is.
    pub fn architecture(self) -> Option<Architecture> {
        match self {
            Self::Arm64 => Some(Architecture::Arm64),
            Self::X86_64 => Some(Architecture::X86_64),
            _ => None,
        }
    }
}

impl Native {
    /// The native code whose file begins with these bytes; `None` if it is none, or none that runs: objects, static
    /// libraries and core dumps do not.
    pub fn recognize(head: &[u8]) -> Option<Self> {
        match FileKind::parse(head).ok()? {
            FileKind::Elf32 => elf::<elf::FileHeader32<Endianness>>(head),
            FileKind::Elf64 => elf::<elf::FileHeader64<Endianness>>(head),
            FileKind::MachO32 => mach_o::<macho::MachHeader32<Endianness>>(head),
            FileKind::MachO64 => mach_o::<macho::MachHeader64<Endianness>>(head),
            FileKind::MachOFat32 | FileKind::MachOFat64 => universal(head),
            FileKind::Pe32 => portable_executable::<pe::ImageNtHeaders32>(head),
            FileKind::Pe64 => portable_executable::<pe::ImageNtHeaders64>(head),
            _ => None,
        }
    }

    fn of(system: System, machine: Machine) -> Self {
        Self { system, machine, is_assembly: false }
    }
}

fn elf<H: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Native> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    if ![elf::ET_EXEC, elf::ET_DYN].contains(&header.e_type(endian)) {
        return None;
    }
    let machine = match (header.e_machine(endian), header.is_class_64()) {
        (elf::EM_AARCH64, true) => Machine::Arm64,
        (elf::EM_X86_64, true) => Machine::X86_64,
        (elf::EM_ARM, _) => Machine::Arm,
        (elf::EM_386, _) => Machine::X86,
        (elf::EM_PPC64, _) => Machine::Ppc64,
        (elf::EM_RISCV, _) => Machine::Riscv,
        (elf::EM_S390, _) => Machine::S390,
        _ => Machine::Other,
    };
    let system = match header.e_ident().os_abi {
        elf::ELFOSABI_SYSV | elf::ELFOSABI_GNU => System::Linux,
        _ => System::OtherUnix,
    };
    Some(Native::of(system, machine))
}

fn mach_o<H: MachHeader<Endian = Endianness>>(head: &[u8]) -> Option<Native> {
    let header = H::parse(head, 0).ok()?;
    let endian = header.endian().ok()?;
    if header.filetype(endian) == macho::MH_OBJECT {
        return None;
    }
    let machine = match header.cputype(endian) {
        macho::CPU_TYPE_ARM64 => Machine::Arm64,
        macho::CPU_TYPE_X86_64 => Machine::X86_64,
        macho::CPU_TYPE_X86 => Machine::X86,
        _ => Machine::Other,
    };
    Some(Native::of(System::MacOs, machine))
}

/// Files of several architectures begin like classes of Java, which have their version, 45 or more, where these have the
/// number of architectures.
fn universal(head: &[u8]) -> Option<Native> {
    let architectures = u32::from_be_bytes(head.get(4..8)?.try_into().ok()?);
    (1..43).contains(&architectures).then_some(Native::of(System::MacOs, Machine::Universal))
}

fn portable_executable<H: ImageNtHeaders>(head: &[u8]) -> Option<Native> {
    /// What the machine of an assembly that is compiled ahead of time for Linux is combined with.
    const LINUX: u16 = 0x7b79;

    let mut offset = pe::ImageDosHeader::parse(head).ok()?.nt_headers_offset().into();
    let (headers, directories) = H::parse(head, &mut offset).ok()?;
    let machine = headers.file_header().machine.get(object::LittleEndian).0;
    let known = |machine: u16| match pe::Machine(machine) {
        pe::IMAGE_FILE_MACHINE_ARM64 => Some(Machine::Arm64),
        pe::IMAGE_FILE_MACHINE_AMD64 => Some(Machine::X86_64),
        _ => None,
    };
    if directories.get(pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).is_none() {
        let machine = match pe::Machine(machine) {
            pe::IMAGE_FILE_MACHINE_I386 => Machine::X86,
            _ => known(machine).unwrap_or(Machine::Other),
        };
        return Some(Native::of(System::Windows, machine));
    }
    // An assembly is for any machine, unless it names one.
    let machine = known(machine).or_else(|| known(machine ^ LINUX))?;
    Some(Native { system: System::Linux, machine, is_assembly: true })
}
