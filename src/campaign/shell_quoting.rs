//! Paths in commands that the user is advised to run.

use std::path::Path;

/// Whether a shell takes the byte literally.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&byte)
}

/// Any path as a word of a POSIX shell that no program takes for an option.
pub fn word(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let prefix = if bytes.starts_with(b"-") { "./" } else { "" };
    match path.to_str() {
        Some(text) if !text.is_empty() && bytes.iter().copied().all(is_plain) => format!("{prefix}{text}"),
        Some(text) if !text.contains(char::is_control) => format!("'{prefix}{}'", text.replace('\'', r"'\''")),
        _ => format!("$'{prefix}{}'", escaped(bytes)),
    }
}

/// Escapes for `$'…'`: unprintable bytes in octal, which every shell with `$'…'` supports.
fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\{byte:03o}"),
    };
    bytes.iter().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};

    #[test]
    fn plain_paths_are_unchanged_and_others_are_quoted() {
        for (path, expected) in [
            ("duet-runs/2026-11-26T040000Z", "duet-runs/2026-11-26T040000Z"),
            ("my runs/one", "'my runs/one'"),
            ("it's", r"'it'\''s'"),
            ("-rf", "./-rf"),
            ("- x", "'./- x'"),
            ("~", "'~'"),
            ("", "''"),
            ("läufe", "'läufe'"),
            ("a\nb", r"$'a\012b'"),
        ] {
            assert_eq!(word(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_shell_reads_the_path_back() {
        let names: [&[u8]; 9] =
            [b"a b", b"it's", b"$HOME `id` \"x\"", b"a\\b", b"*?[x]!", b"-n", b"#x;y&z|w", b"a\tb\n'c\\", b"\xff\xfe"];
        for name in names {
            let path = Path::new(OsStr::from_bytes(name));
            let script = format!("printf %s {}", word(path));
            let output = Command::new("bash").args(["-c", &script]).output().unwrap().stdout;
            let output = output.strip_prefix(b"./").unwrap_or(&output);
            assert_eq!(output, name, "{script}");
        }
    }
}
