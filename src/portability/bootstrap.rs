//! What an OS-only runtime starts.

use super::{FindingKind, contents::Contents, paths};

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

/// The first program of a script that is neither in the packages nor in the system of an OS-only runtime.
fn missing_program(script: &str, packages: &[&Contents]) -> Option<String> {
    let in_packages = |path: &str| packages.iter().any(|package| package.has_file(path));
    let in_any_bin = |name: &str| {
        let is_it = |path: &String| {
            let (directory, file) = paths::split(path);
            file == name && paths::split(directory).1 == "bin"
        };
        packages.iter().any(|package| package.paths.iter().chain(package.links.keys()).any(is_it))
    };
    let is_missing = |(word, is_command): &(&str, bool)| match in_package_root(word) {
        Some(path) => is_program(path) && !in_packages(path),
        None => *is_command && INTERPRETERS.contains(&paths::split(word).1) && !in_any_bin(word),
    };
    words(script).find(is_missing).map(|(word, _)| word.to_owned())
}

/// The words of a script, and whether each stands where a command does.
fn words(script: &str) -> impl Iterator<Item = (&str, bool)> {
    const BEFORE_COMMANDS: [&str; 9] = ["!", "do", "else", "env", "exec", "if", "nohup", "then", "while"];
    let code = script.lines().map(str::trim).filter(|line| line.starts_with("#!") || !line.starts_with('#'));
    let commands = code.flat_map(|line| line.trim_start_matches("#!").split([';', '&', '|', '(', ')', '`']));
    commands.flat_map(|command| {
        let is_separator = |character: char| character.is_whitespace() || "\"'".contains(character);
        let mut is_next_command = true;
        command.split(is_separator).filter(|word| !word.is_empty()).map(move |word| {
            let is_command = is_next_command;
            let is_prefix = BEFORE_COMMANDS.contains(&paths::split(word).1) || word.contains('=');
            is_next_command = is_command && is_prefix;
            (word, is_command)
        })
    })
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
        assert_eq!(missing("#!/opt/bin/php\n", &["bin/php"]), None);
        assert_eq!(missing("#!/opt/bin/php\n", &[]).as_deref(), Some("/opt/bin/php"));
    }
}
