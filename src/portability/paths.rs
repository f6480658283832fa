//! Paths of entries.

/// What separates a file in an archive from the archive.
pub const IN_ARCHIVE: &str = "!/";

/// The longest path that Linux has, in bytes.
pub const LONGEST: usize = 4096;

/// The path of an entry without what means nothing in it; `None` if it leads out of the place of unpacking, or to no
/// file at all.
pub fn safe(name: &str) -> Option<String> {
    if name.len() > LONGEST || name.contains('\0') || name.starts_with(['/', '\\']) || name.get(1..3) == Some(":\\") {
        return None;
    }
    if name.split(['/', '\\']).any(|component| component == "..") {
        return None;
    }
    let components: Vec<&str> = name.split('/').filter(|component| !["", "."].contains(component)).collect();
    (!components.is_empty()).then(|| components.join("/"))
}

/// The directories that a path is in, the root first, each with the path in it.
pub fn directories(path: &str) -> impl Iterator<Item = (&str, &str)> {
    [("", path)].into_iter().chain(path.match_indices('/').map(|(end, _)| (&path[..end], &path[end + 1..])))
}

/// Where a link leads: a target as seen from the directory of the link. `None` if it leads out of the root.
pub fn resolve(directory: &str, target: &str) -> Option<String> {
    let mut components: Vec<&str> = directory.split('/').filter(|component| !component.is_empty()).collect();
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            _ => components.push(component),
        }
    }
    Some(components.join("/"))
}

/// The directory of a path and the name in it; the directory of a file at the root is empty.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The archive that a file is in, and the path in it.
pub fn split_archive(path: &str) -> (Option<&str>, &str) {
    path.rsplit_once(IN_ARCHIVE).map_or((None, path), |(archive, inner)| (Some(archive), inner))
}

/// Whether a file is named as those are that are loaded into a process.
pub fn is_library(path: &str) -> bool {
    let name = split(path).1.to_ascii_lowercase();
    [".so", ".node", ".dylib", ".dll"].iter().any(|end| name.ends_with(end)) || name.contains(".so.")
}

/// Whether a file is named as archives are that runtimes load code from.
pub fn is_archive(path: &str) -> bool {
    let name = split(path).1.to_ascii_lowercase();
    [".jar", ".war", ".ear", ".whl", ".egg", ".zip", ".pyz", ".pex"].iter().any(|end| name.ends_with(end))
}

/// Whether a file of a layer is started as an extension of Lambda.
pub fn is_extension(path: &str) -> bool {
    split(path).0 == "extensions"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_paths_are_told() {
        for name in ["../a", "a/../../b", "/etc/passwd", "a\0b", "..\\a", "\\a", "C:\\a", "", "./", "a/.."] {
            assert_eq!(safe(name), None, "{name:?}");
        }
        assert_eq!(safe(&"a".repeat(LONGEST + 1)), None);
        assert_eq!(safe("./a//b/./c").as_deref(), Some("a/b/c"));
        assert_eq!(safe("..a/b..").as_deref(), Some("..a/b.."));
    }

    #[test]
    fn links_are_resolved() {
        assert_eq!(resolve("a/b", "../c.so").as_deref(), Some("a/c.so"));
        assert_eq!(resolve("", "./bin//app").as_deref(), Some("bin/app"));
        assert_eq!(resolve("a", "../../c"), None);
    }

    #[test]
    fn files_are_told_by_their_names() {
        assert!(
            is_library("a/libc.so.6") && is_library("b.node") && !is_library("a.so/readme") && !is_library("bin/so")
        );
        assert!(is_archive("a/B.JAR") && !is_archive("jar"));
        assert_eq!(split_archive("a.war!/b.jar!/c.so"), (Some("a.war!/b.jar"), "c.so"));
    }
}
