//! Archives that are made to do harm, or are broken: each is refused, and nothing is taken for looked at that was not.

use super::{
    FindingKind, Portability, Refusal, Verdict,
    limits::Limits,
    test_packages::{X86_64, assessed_archive, elf, zip, zip_with},
};
use proptest::prelude::*;
use zip::CompressionMethod;

const APP: (&str, &[u8]) = ("app.py", b"def handler(event, context): pass\n");

/// What was refused: the file, and why.
fn refusals(answer: &Portability) -> Vec<(Option<&str>, &Refusal)> {
    let refusals = answer.findings.iter().filter_map(|finding| match &finding.kind {
        FindingKind::Refused { reason } => Some((finding.file.as_deref(), reason)),
        _ => None,
    });
    refusals.collect()
}

fn refused(archive: &[u8], limits: &Limits, file: Option<&str>, refusal: &Refusal) {
    let answer = assessed_archive(archive, limits);
    assert_eq!(refusals(&answer), [(file, refusal)]);
    assert_ne!(answer.verdict, Verdict::Portable);
}

/// The archive with the first occurrences of a text replaced by another of the same length.
fn replaced(archive: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut archive = archive.to_vec();
    let starts: Vec<usize> = memchr::memmem::find_iter(&archive, from).collect();
    assert!(!starts.is_empty());
    for start in starts {
        archive[start..start + to.len()].copy_from_slice(to);
    }
    archive
}

/// Where the entries of the directory begin.
fn directory_entries(archive: &[u8]) -> Vec<usize> {
    memchr::memmem::find_iter(archive, b"PK\x01\x02").collect()
}

fn unreadable(answer: &Portability, text: &str) {
    let refusals = refusals(answer);
    let [(_, Refusal::Unreadable(reason))] = refusals.as_slice() else { panic!("{refusals:?}") };
    assert!(reason.contains(text), "{reason}");
    assert_ne!(answer.verdict, Verdict::Portable);
}

#[test]
fn many_entries_are_refused() {
    let limits = Limits { entries: 3, ..Limits::DEFAULT };
    let refusal = Refusal::TooManyEntries(3);
    refused(&zip(&[APP, ("b", b""), ("c", b""), ("d", b"")]), &limits, None, &refusal);
    // Those of archives within archives count.
    let inner = zip(&[("b", b""), ("c", b"")]);
    refused(&zip(&[APP, ("inner.zip", &inner)]), &limits, None, &refusal);
    assert!(refusals(&assessed_archive(&zip(&[APP, ("b", b"")]), &limits)).is_empty());
}

#[test]
fn entries_that_are_only_claimed_are_refused() {
    let limits = Limits { entries: 70_000, ..Limits::DEFAULT };
    let mut archive = zip(&[APP]);
    let end = memchr::memmem::find(&archive, b"PK\x05\x06").unwrap();
    let directory = directory_entries(&archive)[0] as u64;
    let mut long_end = b"PK\x06\x06".to_vec();
    long_end.extend(44_u64.to_le_bytes());
    long_end.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    long_end.extend([1_u64 << 40, 1 << 40, 1 << 45, directory].iter().flat_map(|number| number.to_le_bytes()));
    long_end.extend(b"PK\x06\x07\0\0\0\0");
    long_end.extend((end as u64).to_le_bytes());
    long_end.extend(1_u32.to_le_bytes());
    archive.splice(end..end, long_end);
    refused(&archive, &limits, None, &Refusal::TooManyEntries(70_000));
}

#[test]
fn a_large_directory_is_refused() {
    let limits = Limits { directory_bytes: 10_000, ..Limits::DEFAULT };
    let names: Vec<String> = (0..200).map(|number| format!("{number:0200}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).chain([APP]).collect();
    unreadable(&assessed_archive(&zip(&files), &limits), "its directory is too large");
    assert!(refusals(&assessed_archive(&zip(&files), &Limits::DEFAULT)).is_empty());
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 1 << 20];
    let bomb = zip(&[APP, ("zeros", &zeros)]);
    let limits = Limits { bytes: 1 << 19, ..Limits::DEFAULT };
    refused(&bomb, &limits, None, &Refusal::TooLarge(1 << 19));
    let limits = Limits { unsuspicious_bytes: 1 << 16, ..Limits::DEFAULT };
    refused(&bomb, &limits, None, &Refusal::Ratio(100));
    // A bomb in an archive is refused, and what is beside it is looked at.
    let native = elf(X86_64);
    let outer = zip_with(CompressionMethod::Stored, &[APP, ("bomb.zip", &bomb), ("b.so", &native)]);
    let answer = assessed_archive(&outer, &limits);
    assert_eq!(refusals(&answer), [(Some("bomb.zip"), &Refusal::Ratio(100))]);
    assert_eq!(answer.verdict, Verdict::NeedsFiles);
}

#[test]
fn deep_archives_are_refused() {
    let mut archive = zip(&[("a.so", &elf(X86_64))]);
    for _ in 0..3 {
        archive = zip(&[APP, ("a.zip", &archive)]);
    }
    let limits = Limits { depth: 2, ..Limits::DEFAULT };
    refused(&archive, &limits, Some("a.zip!/a.zip!/a.zip"), &Refusal::TooDeep(2));
    assert_eq!(assessed_archive(&archive, &Limits::DEFAULT).verdict, Verdict::NeedsFiles);
}

#[test]
fn paths_that_lead_out_are_refused() {
    for name in [b"../a".as_slice(), b"/a.a", b"a/..", b"a\0.so", b"..\\a"] {
        let placeholder = vec![b'#'; name.len()];
        let native = elf(X86_64);
        let archive = zip(&[APP, (std::str::from_utf8(&placeholder).unwrap(), &native)]);
        let shown = crate::protocol::control_characters::visible(std::str::from_utf8(name).unwrap());
        let archive = replaced(&archive, &placeholder, name);
        refused(&archive, &Limits::DEFAULT, Some(&shown), &Refusal::UnsafePath);
    }
}

#[test]
fn names_that_come_twice_are_refused() {
    let archive = zip(&[APP, ("first.so", b""), ("other.so", &elf(X86_64))]);
    refused(&replaced(&archive, b"other.so", b"first.so"), &Limits::DEFAULT, None, &Refusal::DuplicateNames);
    let archive = zip(&[APP, ("a.so", b""), ("./a.so", &elf(X86_64))]);
    refused(&archive, &Limits::DEFAULT, Some("./a.so"), &Refusal::DuplicateName);
}

#[test]
fn entries_over_each_other_are_refused() {
    let mut archive = zip(&[APP, ("b.so", b"one"), ("c.so", b"two")]);
    let entries = directory_entries(&archive);
    let offset = archive[entries[1] + 42..entries[1] + 46].to_vec();
    archive[entries[2] + 42..entries[2] + 46].copy_from_slice(&offset);
    refused(&archive, &Limits::DEFAULT, None, &Refusal::OverlappingEntries);
}

#[test]
fn encrypted_entries_are_refused() {
    let mut archive = zip(&[APP, ("b.so", &elf(X86_64))]);
    let entry = directory_entries(&archive)[1];
    archive[entry + 8] |= 1;
    refused(&archive, &Limits::DEFAULT, Some("b.so"), &Refusal::Encrypted);
}

#[test]
fn broken_archives_are_refused() {
    let archive = zip_with(CompressionMethod::Stored, &[APP, ("b.so", &elf(X86_64))]);
    unreadable(&assessed_archive(&archive[..archive.len() - 30], &Limits::DEFAULT), "");
    unreadable(&assessed_archive(b"no archive", &Limits::DEFAULT), "");
    unreadable(&assessed_archive(b"", &Limits::DEFAULT), "");
    // Another byte than the checksum is of.
    unreadable(&assessed_archive(&replaced(&archive, b"\x7fELF", b"\x7fELG"), &Limits::DEFAULT), "checksum");
    // More bytes than there are.
    let mut wrong = archive.clone();
    let entry = directory_entries(&wrong)[0];
    wrong[entry + 24] += 1;
    refused(&wrong, &Limits::DEFAULT, Some("app.py"), &Refusal::WrongSize);
    // Another method than Lambda has.
    let mut wrong = archive;
    wrong[entry + 10] = 12;
    unreadable(&assessed_archive(&wrong, &Limits::DEFAULT), "compression method");
    // An archive within the package.
    let outer = zip(&[APP, ("b.jar", b"PK\x03\x04....")]);
    unreadable(&assessed_archive(&outer, &Limits::DEFAULT), "");
}

#[test]
fn long_metadata_is_refused() {
    let limits = Limits { metadata_bytes: 100, ..Limits::DEFAULT };
    let archive = zip(&[APP, ("node_modules/a/package.json", &[b' '; 101])]);
    unreadable(&assessed_archive(&archive, &limits), "too long");
}

#[test]
fn what_is_kept_in_memory_is_limited() {
    let limits = Limits { kept_bytes: 1000, ..Limits::DEFAULT };
    let text = [b' '; 600];
    let inner = zip(&[("b/package.json", &text)]);
    let archive = zip(&[APP, ("a/package.json", &text), ("inner.zip", &inner)]);
    refused(&archive, &limits, None, &Refusal::TooMuchMetadata(1000));
    let name = "a".repeat(600);
    refused(
        &zip(&[APP, (&name, &zip(&[("b", b"")])), ("inner.zip", &zip(&[(&name, b"")]))]),
        &limits,
        None,
        &Refusal::TooMuchMetadata(1000),
    );
}

#[test]
fn directories_do_no_harm() {
    let archive = zip(&[APP, ("./", b""), ("META-INF/", b""), ("META-INX/", b""), ("META-INF/a", b"")]);
    let answer = assessed_archive(&replaced(&archive, b"META-INX", b"META-INF"), &Limits::DEFAULT);
    assert_eq!((refusals(&answer), answer.verdict), (Vec::new(), Verdict::Portable));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_ne!(assessed_archive(&bytes, &Limits::DEFAULT).verdict, Verdict::Portable);
    }

    #[test]
    fn damaged_archives_are_answered(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let inner = zip(&[("x86_64/a.so", &elf(X86_64)), ("p.dist-info/RECORD", b"a.so,,")]);
        let mut archive = zip(&[APP, ("a.jar", &inner), ("b.so", &elf(X86_64)), ("package.json", b"{}")]);
        for (place, byte) in changes {
            let place = place.index(archive.len());
            archive[place] = byte;
        }
        assessed_archive(&archive, &Limits::DEFAULT);
    }
}
