//! The names of variants: as the user gives them, or by what sets them apart.

use super::preflight::NamedTarget;
use crate::{
    campaign::{
        Target,
        manifest::Variant,
        variants::{VariantIndex, Variants},
    },
    cli::wrong_arguments::refuse,
};
use std::{collections::BTreeSet, env};

/// The names of these variants, unique among them. `given` has those that the user has chosen.
///
/// # Errors
/// When a name is given twice.
pub(in crate::cli) fn names(given: &[Option<String>], variants: &[Variant]) -> anyhow::Result<Vec<String>> {
    let mut known = BTreeSet::new();
    if let Some(twice) = given.iter().flatten().find(|name| !known.insert(name.as_str())) {
        refuse!("--targets has two variants of the name {twice}: each needs one of its own");
    }
    let with_given = |names: Vec<String>| -> Vec<String> {
        given.iter().zip(names).map(|(given, name)| given.clone().unwrap_or(name)).collect()
    };
    let by_facts = FACTS.iter().filter_map(|facts| by_facts(facts, variants)).map(with_given);
    let names = by_facts.chain(by_side(variants).map(with_given)).chain([with_given(by_target(variants))]);
    let mut unique = names.filter(|names| names.iter().collect::<BTreeSet<_>>().len() == names.len());
    Ok(unique.next().unwrap_or_else(|| numbered(given, &by_target(variants))))
}

/// Makes roles follow the baseline, where two variants are named by their roles. What the user has named keeps its name.
pub(super) fn follow_baseline(variants: &mut Variants<Variant>, targets: &[NamedTarget], baseline: VariantIndex) {
    let names: Vec<&str> = variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    if names == ROLES && targets.iter().all(|named| named.name.is_none()) {
        for (index, variant) in variants.iter_mut() {
            variant.name = ROLES[usize::from(index != baseline)].to_owned();
        }
    }
}

/// What two variants are called that nothing sets apart, the baseline first.
const ROLES: [&str; 2] = ["baseline", "candidate"];

/// Something that may set variants apart.
#[derive(Clone, Copy, PartialEq)]
enum Fact {
    Architecture,
    Memory,
    /// The version or alias of a function.
    Version,
}

/// What names are made of, the plainest first.
const FACTS: [&[Fact]; 7] = [
    &[Fact::Architecture],
    &[Fact::Memory],
    &[Fact::Architecture, Fact::Memory],
    &[Fact::Version],
    &[Fact::Architecture, Fact::Version],
    &[Fact::Memory, Fact::Version],
    &[Fact::Architecture, Fact::Memory, Fact::Version],
];

impl Fact {
    fn of(self, variant: &Variant) -> Option<String> {
        let configuration = variant.configuration.as_ref();
        match (self, &variant.target) {
            (Self::Architecture, _) => configuration.map(|known| known.architecture.to_string()),
            (Self::Memory, _) => configuration.map(|known| format!("{}MB", known.memory_mb)),
            (Self::Version, Target::Function { qualifier, .. }) => Some(match qualifier {
                Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("v{number}"),
                Some(alias) => alias.clone(),
                None => "latest".to_owned(),
            }),
            (Self::Version, _) => None,
        }
    }
}

/// Names of these facts. None if one is not known, or if they would be versions of different functions.
fn by_facts(facts: &[Fact], variants: &[Variant]) -> Option<Vec<String>> {
    let name = |variant: &Variant| -> Option<String> {
        let facts: Option<Vec<String>> = facts.iter().map(|fact| fact.of(variant)).collect();
        Some(facts?.join("-"))
    };
    let is_of_version = facts == [Fact::Version] && !are_one_function(variants);
    variants.iter().map(name).collect::<Option<_>>().filter(|_| !is_of_version)
}

fn are_one_function(variants: &[Variant]) -> bool {
    let name = |variant: &Variant| match &variant.target {
        Target::Function { name, .. } => Some(name.rsplit(':').next().unwrap_or(name).to_owned()),
        _ => None,
    };
    variants.windows(2).all(|pair| name(&pair[0]) == name(&pair[1]))
}

/// The architectures of two variants, or else which of them is the baseline. None of more variants.
fn by_side(variants: &[Variant]) -> Option<Vec<String>> {
    if variants.len() > 2 {
        return None;
    }
    let names: Vec<String> = variants
        .iter()
        .zip(ROLES)
        .map(|(variant, role)| Fact::Architecture.of(variant).unwrap_or(role.to_owned()))
        .collect();
    Some(if names.first() == names.last() { ROLES.map(str::to_owned).into() } else { names })
}

fn by_target(variants: &[Variant]) -> Vec<String> {
    let here = env::current_dir().unwrap_or_default();
    let name = |target: &Target| match target {
        Target::Function { name, qualifier } => {
            let name = name.rsplit(':').next().unwrap_or(name);
            qualifier.as_ref().map_or(name.to_owned(), |qualifier| format!("{name}:{qualifier}"))
        }
        Target::Endpoint { url } => url.clone(),
        // As the user has named it, if it is below this directory.
        Target::Process { path } => path.strip_prefix(&here).unwrap_or(path).display().to_string(),
        Target::Import { file } => file.clone(),
    };
    variants.iter().map(|variant| name(&variant.target)).collect()
}

/// Unique names: those that were not given, and that stand twice or were given to another, get a number.
fn numbered(given: &[Option<String>], names: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = given.iter().flatten().cloned().collect();
    let unique = given.iter().zip(names).map(|(given, name)| {
        if let Some(given) = given {
            return given.clone();
        }
        let numbers = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.clone()).chain(numbers);
        let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        name
    });
    unique.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::manifest::Manifest;
    use serde_json::json;

    fn variant(target: &str, configuration: Option<(&str, u32)>) -> Variant {
        let example = Manifest::example().variants[Default::default()].clone();
        let configuration = configuration.map(|(architecture, memory_mb)| {
            let text = json!({
                "arn": null, "architecture": architecture, "memory_mb": memory_mb, "timeout_s": 3, "tracing": null,
                "runtime": null, "log_format": null, "ephemeral_storage_mb": 512, "layers": []
            });
            serde_json::from_value(text).unwrap()
        });
        Variant { target: target.parse().unwrap(), configuration, ..example }
    }

    fn named(variants: &[(Option<&str>, Variant)]) -> Vec<String> {
        let (given, variants): (Vec<_>, Vec<_>) =
            variants.iter().cloned().map(|(name, variant)| (name.map(str::to_owned), variant)).unzip();
        names(&given, &variants).unwrap()
    }

    fn of(variants: &[(&str, Option<(&str, u32)>)]) -> Vec<String> {
        let variants: Vec<_> = variants.iter().map(|(target, known)| (None, variant(target, *known))).collect();
        named(&variants)
    }

    #[test]
    fn a_name_is_the_least_that_sets_variants_apart() {
        let (x86, arm, larger) = (Some(("x86_64", 1024)), Some(("arm64", 1024)), Some(("arm64", 2048)));
        assert_eq!(of(&[("lambda:a", x86), ("lambda:b", larger)]), ["x86_64", "arm64"]);
        assert_eq!(of(&[("lambda:a", arm), ("lambda:b", larger)]), ["1024MB", "2048MB"]);
        assert_eq!(of(&[("lambda:a:7", arm), ("lambda:a:live", arm)]), ["v7", "live"]);
        assert_eq!(
            of(&[("lambda:a", x86), ("lambda:b", arm), ("lambda:c", larger)]),
            ["x86_64-1024MB", "arm64-1024MB", "arm64-2048MB"]
        );
        assert_eq!(
            of(&[("lambda:a:1", x86), ("lambda:a:2", x86), ("lambda:b", arm)]),
            ["x86_64-v1", "x86_64-v2", "arm64-latest"]
        );
    }

    #[test]
    fn two_variants_without_known_facts_are_baseline_and_candidate() {
        assert_eq!(of(&[("exec:/a", None), ("exec:/b", None)]), ["baseline", "candidate"]);
        assert_eq!(of(&[("lambda:a", Some(("x86_64", 1024))), ("https://b/", None)]), ["x86_64", "candidate"]);
        assert_eq!(of(&[("lambda:a", None), ("lambda:a", None)]), ["baseline", "candidate"]);
    }

    #[test]
    fn more_variants_without_known_facts_are_named_by_their_targets() {
        let targets = [("exec:/a", None), ("https://b/", None), ("exec:/a", None), ("lambda:c:7", None)];
        assert_eq!(of(&targets), ["/a", "https://b/", "/a (2)", "c:7"]);
        let variants = [(None, "lambda:a"), (Some("a"), "lambda:b"), (None, "lambda:a")];
        let variants = variants.map(|(name, target)| (name, variant(target, None)));
        assert_eq!(named(&variants), ["a (2)", "a", "a (3)"]);
    }

    #[test]
    fn one_of_three_variants_without_a_name_is_named_by_its_target() {
        let variants = [(Some("base"), "exec:fn/fast"), (None, "exec:fn/fast2"), (Some("slow"), "exec:fn/slow")];
        let variants = variants.map(|(name, target)| (name, variant(target, None)));
        assert_eq!(named(&variants), ["base", "fn/fast2", "slow"]);
        let absolute =
            variants.map(|(name, variant)| (name, Variant { target: variant.target.absolute().unwrap(), ..variant }));
        assert_eq!(named(&absolute), ["base", "fn/fast2", "slow"]);
    }

    #[test]
    fn roles_follow_the_baseline_unless_they_were_given() {
        let [_, second] = VariantIndex::both();
        let target =
            |name: Option<&str>| NamedTarget { name: name.map(str::to_owned), target: "exec:a".parse().unwrap() };
        for (given, expected) in [([None; 2], ["candidate", "baseline"]), (ROLES.map(Some), ROLES)] {
            let variants = ROLES.map(|name| Variant { name: name.to_owned(), ..variant("exec:a", None) });
            let mut variants = Variants::from_iter(variants);
            follow_baseline(&mut variants, &given.map(target), second);
            assert_eq!(variants.iter().map(|(_, variant)| variant.name.as_str()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn given_names_are_kept() {
        let known = Some(("arm64", 1024));
        let variants = [(Some("old"), variant("lambda:a", known)), (None, variant("lambda:b", known))];
        assert_eq!(named(&variants), ["old", "arm64"]);
        let twice = names(&[Some("a".to_owned()), Some("a".to_owned())], &variants.map(|(_, variant)| variant));
        assert!(twice.unwrap_err().to_string().contains("two variants of the name a"));
    }
}
