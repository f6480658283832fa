//! Python's wheels, as they are found installed.

use super::paths;
use std::collections::{BTreeMap, HashSet};

/// An installed wheel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wheel {
    pub name: String,
    pub version: String,
    /// The platforms of its tags, such as `manylinux_2_28_x86_64`.
    pub platforms: Vec<String>,
    /// The paths of those of its files that may be native.
    recorded: HashSet<String>,
}

/// Takes note of a file of `NAME-VERSION.dist-info`.
pub fn note(wheels: &mut BTreeMap<(String, String), Wheel>, directory: &str, file: &str, text: &str) {
    let (site, dist_info) = paths::split(directory);
    let Some((name, version)) = dist_info.strip_suffix(".dist-info").and_then(|stem| stem.rsplit_once('-')) else {
        return;
    };
    let wheel = wheels.entry((site.to_owned(), normalized(name))).or_default();
    name.clone_into(&mut wheel.name);
    version.clone_into(&mut wheel.version);
    if file == "WHEEL" {
        let platforms = text.lines().filter_map(|line| line.strip_prefix("Tag:")?.rsplit('-').next()).map(str::trim);
        wheel.platforms.extend(platforms.flat_map(|platform| platform.split('.')).map(str::to_owned));
        wheel.platforms.sort_unstable();
        wheel.platforms.dedup();
    } else {
        let files = text.lines().filter_map(|line| line.split(',').next()).filter(|file| may_be_native(file));
        // `pip install --target` puts programs where it has not recorded them.
        wheel.recorded.extend(files.map(|file| paths::join(site, file.trim_start_matches("../"))));
    }
}

fn may_be_native(file: &str) -> bool {
    let name = paths::split(file).1;
    paths::is_library(name) || paths::is_archive(name) || name.ends_with(".exe") || !name.contains('.')
}

/// A name in the one spelling that all of its spellings have in common.
fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.'], "_")
}

/// The wheel that has brought a file: by its record, or where that is missing by the name of the directory.
pub fn of_file<'a>(wheels: &'a BTreeMap<(String, String), Wheel>, path: &str) -> Option<&'a Wheel> {
    wheels.values().find(|wheel| wheel.recorded.contains(path)).or_else(|| {
        let in_named_directory = |(site, name): &(String, String)| {
            let inside = if site.is_empty() { Some(path) } else { path.strip_prefix(site)?.strip_prefix('/') };
            let (directory, _) = inside?.split_once('/')?;
            (normalized(directory.trim_end_matches(".libs")) == *name).then_some(())
        };
        wheels.iter().find(|(key, _)| in_named_directory(key).is_some()).map(|(_, wheel)| wheel)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_the_wheels_that_record_them() {
        let mut wheels = BTreeMap::new();
        let tags =
            "Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_17_x86_64\nTag: cp313-cp313-manylinux2014_x86_64\n";
        note(&mut wheels, "python/MarkupSafe-3.0.2.dist-info", "WHEEL", tags);
        note(&mut wheels, "python/MarkupSafe-3.0.2.dist-info", "RECORD", "_speed.so,sha256=1,2\n../../bin/tool,,\n");
        let wheel = |path| of_file(&wheels, path).map(|wheel| (wheel.name.as_str(), wheel.version.as_str()));
        let markupsafe = Some(("MarkupSafe", "3.0.2"));
        assert_eq!(wheel("python/_speed.so"), markupsafe);
        assert_eq!(wheel("python/bin/tool"), markupsafe);
        assert_eq!(wheel("python/markupsafe/_speedups.so"), markupsafe);
        assert_eq!(wheel("python/markupsafe.libs/libz.so"), markupsafe);
        assert_eq!((wheel("_speed.so"), wheel("python/other/a.so")), (None, None));
        let platforms = &of_file(&wheels, "python/_speed.so").unwrap().platforms;
        assert_eq!(platforms, &["manylinux2014_x86_64", "manylinux_2_17_x86_64"]);
    }
}
