//! What an OS-only runtime starts.

use super::{FindingKind, FunctionDescription, PackageName, contents::Contents, function::RuntimeFamily, paths};
use std::collections::HashSet;

/// The file that an OS-only runtime starts.
const BOOTSTRAP: &str = "bootstrap";

/// Programs that managed runtimes have and an OS-only runtime has not.
const INTERPRETERS: [&str; 10] = ["bun", "deno", "dotnet", "java", "node", "perl", "php", "python", "python3", "ruby"];

/// What is found of the bootstrap. The first package is the function's code, which comes before its layers.
pub fn check(packages: &[&Contents]) -> Option<FindingKind> {
    let Some(package) = packages.iter().find(|package| package.has_file(BOOTSTRAP)) else {
        return Some(FindingKind::NoBootstrap);
    };
    let path = package.follow(BOOTSTRAP)?;
    if package.natives.iter().any(|file| file.path == path) {
        return None;
    }
    let Some(script) = package.bootstrap.as_deref().filter(|text| text.starts_with("#!")) else {
        return Some(FindingKind::UnknownBootstrap);
    };
    missing_program(script, packages).map(|program| FindingKind::MissingProgram { program })
}

/// The files that Lambda starts itself, by their paths: no other file is taken in their place.
pub fn started(function: &FunctionDescription, packages: &[(&PackageName, &Contents)]) -> HashSet<String> {
    let entry_point = match function.runtime.as_deref() {
        Some("go1.x") => function.handler.as_deref(),
        _ => (function.family() == Some(RuntimeFamily::OsOnly)).then_some(BOOTSTRAP),
    };
    let of_package = |&(name, contents): &(&PackageName, &Contents)| {
        let is_layer = matches!(name, PackageName::Layer(_));
        let paths = contents.paths.iter().chain(contents.links.keys()).map(String::as_str);
        let extensions = paths.filter(|path| is_layer && paths::is_extension(path));
        extensions.chain(entry_point).filter_map(|path| contents.follow(path)).collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_package).collect()
}

/// The first program of a script that is neither in the packages nor in the system of an OS-only runtime.
fn missing_program(script: &str, packages: &[&Contents]) -> Option<String> {
    let in_packages = |path: &str| packages.iter().any(|package| package.has_file(path) || package.has_directory(path));
    let paths = packages.iter().flat_map(|package| package.paths.iter().chain(package.links.keys()));
    let in_bin = |path| {
        let (directory, file) = paths::split(path);
        (paths::split(directory).1 == "bin").then_some(file)
    };
    let in_any_bin: HashSet<&str> = paths.filter_map(|path| in_bin(path)).collect();
    let is_missing = |word: &String| match in_package_root(word) {
        Some(path) => is_program(path) && !in_packages(path),
        None => INTERPRETERS.contains(&paths::split(word).1) && !in_any_bin.contains(word.as_str()),
    };
    commands(script).into_iter().find(is_missing)
}

/// What a script calls: the words where commands stand, without their quotes.
fn commands(script: &str) -> Vec<String> {
    const BEFORE_COMMANDS: [&str; 16] = [
        "!", ".", "command", "do", "elif", "else", "env", "exec", "if", "nohup", "source", "then", "time", "until",
        "while", "{",
    ];
    let mut commands = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_comment = false;
    let mut is_next_command = true;
    let script = script.trim_start_matches("#!").replace("\\\n", " ");
    for character in script.chars().chain(['\n']) {
        let ends_command = quote.is_none() && ";&|()`\n".contains(character);
        if is_comment && character != '\n' {
            continue;
        }
        is_comment = quote.is_none() && word.is_empty() && character == '#';
        if is_comment {
            continue;
        }
        match quote {
            Some(end) if end == character => quote = None,
            None if "\"'".contains(character) => quote = Some(character),
            None if ends_command || character.is_whitespace() => {
                let ended = std::mem::take(&mut word);
                let is_prefix =
                    BEFORE_COMMANDS.contains(&paths::split(&ended).1) || ended.contains('=') || ended.starts_with('-');
                let is_command = is_next_command && !ended.is_empty();
                is_next_command = ends_command || is_next_command && (ended.is_empty() || is_prefix);
                commands.extend((is_command && !is_prefix).then_some(ended));
            }
            _ => word.push(character),
        }
    }
    commands
}

/// The path in a package of a word of a script, if it is one.
fn in_package_root(word: &str) -> Option<&str> {
    const ROOTS: [&str; 5] = ["./", "/opt/", "/var/task/", "$LAMBDA_TASK_ROOT/", "${LAMBDA_TASK_ROOT}/"];
    ROOTS.iter().find_map(|root| word.strip_prefix(root))
}

/// Whether a word is a whole path, and no directory, pattern or part of one that is put together at run time.
fn is_program(path: &str) -> bool {
    !path.is_empty() && !path.ends_with('/') && !path.contains(['$', '*', ':', '{', '='])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(script: &str, paths: &[&str]) -> Option<String> {
        let contents = Contents { paths: paths.iter().map(|&path| path.to_owned()).collect(), ..Contents::default() };
        missing_program(script, &[&contents])
    }

    #[test]
    fn programs_of_scripts_are_looked_for() {
        let script = "#!/bin/sh\nset -e\n# ./not-this\nexec \"$LAMBDA_TASK_ROOT/bin/app\" --config=/opt/x.$A\n";
        assert_eq!(missing(script, &["bin/app"]), None);
        assert_eq!(missing(script, &[]).as_deref(), Some("$LAMBDA_TASK_ROOT/bin/app"));
        assert_eq!(missing("#!/bin/bash\ncd /var/task/\n./run.sh & wait\n", &[]).as_deref(), Some("./run.sh"));
        assert_eq!(missing("#!/usr/bin/env python3\nimport app\n", &[]).as_deref(), Some("python3"));
        assert_eq!(missing("#!/bin/sh\nexec java -jar /var/task/a.jar\n", &["a.jar", "jre/bin/java"]), None);
        assert_eq!(missing("#!/bin/sh\necho 'starting node'; A=1 exec /bin/cat\n", &[]), None);
        let configuration = "#!/bin/sh\nexport LD_LIBRARY_PATH=\"/opt/lib\" A=/opt/a\nB=\"/opt/b\" C='/opt/c'\n\
                             if [ -f ./env.sh ]; then echo 'it is ./there; /opt/now'; fi\ncd /opt/app # ./not-this\n";
        assert_eq!(missing(configuration, &[]), None);
        for call in
            ["exec \"/opt/x\"", ". /opt/x", "source '/opt/x'", "A=\"b c\" /opt/x", "if /opt/x; then", "a && \\\n/opt/x"]
        {
            assert_eq!(missing(&format!("{configuration}{call}\n"), &[]).as_deref(), Some("/opt/x"), "{call}");
        }
        assert_eq!(missing("#!/bin/sh\n/opt/x\n", &["x/y"]), None);
        assert_eq!(missing("#!/opt/bin/php\n", &["bin/php"]), None);
        assert_eq!(missing("#!/opt/bin/php\n", &[]).as_deref(), Some("/opt/bin/php"));
    }
}
