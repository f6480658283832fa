//! Python's wheels, as they are found installed.

use super::paths;
use std::collections::HashMap;

/// The wheels of a package, by the directories they are installed in.
#[derive(Debug, Default)]
pub struct Wheels(HashMap<String, Site>);

/// A directory that wheels are installed in.
#[derive(Debug, Default)]
struct Site {
    wheels: Vec<Wheel>,
    /// Their places in the list, by their normalized names.
    by_name: HashMap<String, usize>,
    /// The same by the paths of those of their files that may be native.
    by_file: HashMap<String, usize>,
}

/// An installed wheel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wheel {
    pub name: String,
    pub version: String,
    /// The platforms of its tags, such as `manylinux_2_28_x86_64`.
    pub platforms: Vec<String>,
}

impl Wheels {
    /// Takes note of a file of `NAME-VERSION.dist-info`.
    pub fn note(&mut self, directory: &str, file: &str, text: &str) {
        let (site, dist_info) = paths::split(directory);
        let Some((name, version)) = dist_info.strip_suffix(".dist-info").and_then(|stem| stem.rsplit_once('-')) else {
            return;
        };
        let site = self.0.entry(site.to_owned()).or_default();
        let index = *site.by_name.entry(normalized(name)).or_insert(site.wheels.len());
        if index == site.wheels.len() {
            site.wheels.push(Wheel::default());
        }
        let wheel = &mut site.wheels[index];
        name.clone_into(&mut wheel.name);
        version.clone_into(&mut wheel.version);
        if file == "WHEEL" {
            let platforms =
                text.lines().filter_map(|line| line.strip_prefix("Tag:")?.rsplit('-').next()).map(str::trim);
            wheel.platforms.extend(platforms.flat_map(|platform| platform.split('.')).map(str::to_owned));
            wheel.platforms.sort_unstable();
            wheel.platforms.dedup();
        } else {
            let files = text.lines().filter_map(|line| line.split(',').next()).filter(|file| may_be_native(file));
            // `pip install --target` puts programs where it has not recorded them.
            site.by_file.extend(files.map(|file| (file.trim_start_matches("../").to_owned(), index)));
        }
    }

    /// The wheel that has brought a file: by its record, or where that is missing by the name of the directory.
    pub fn of_file(&self, path: &str) -> Option<&Wheel> {
        let sites = || paths::directories(path).filter_map(|(site, inside)| Some((self.0.get(site)?, inside)));
        sites().find_map(|(site, file)| site.wheels.get(*site.by_file.get(file)?)).or_else(|| {
            sites().find_map(|(site, file)| {
                let (directory, _) = file.split_once('/')?;
                site.wheels.get(*site.by_name.get(&normalized(directory.trim_end_matches(".libs")))?)
            })
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_the_wheels_that_record_them() {
        let mut wheels = Wheels::default();
        let tags =
            "Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_17_x86_64\nTag: cp313-cp313-manylinux2014_x86_64\n";
        wheels.note("python/MarkupSafe-3.0.2.dist-info", "WHEEL", tags);
        wheels.note("python/MarkupSafe-3.0.2.dist-info", "RECORD", "_speed.so,sha256=1,2\n../../bin/tool,,\n");
        let wheel = |path| wheels.of_file(path).map(|wheel| (wheel.name.as_str(), wheel.version.as_str()));
        let markupsafe = Some(("MarkupSafe", "3.0.2"));
        assert_eq!(wheel("python/_speed.so"), markupsafe);
        assert_eq!(wheel("python/bin/tool"), markupsafe);
        assert_eq!(wheel("python/markupsafe/_speedups.so"), markupsafe);
        assert_eq!(wheel("python/markupsafe.libs/libz.so"), markupsafe);
        assert_eq!((wheel("_speed.so"), wheel("python/other/a.so")), (None, None));
        let platforms = &wheels.of_file("python/_speed.so").unwrap().platforms;
        assert_eq!(platforms, &["manylinux2014_x86_64", "manylinux_2_17_x86_64"]);
    }
}
