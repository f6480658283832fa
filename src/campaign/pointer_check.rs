//! Early warnings of JSON pointers that find nothing in the answers.

use super::{
    failure::readable,
    manifest::Plan,
    payload::{names, nearest_pointer},
    variants::{VariantIndex, Variants},
};
use hyper::body::Bytes;

/// What the pointers have found in the answers of each variant so far.
#[derive(Debug)]
pub(super) struct PointerCheck<'a>(Vec<Pointer<'a>>);

#[derive(Debug)]
struct Pointer<'a> {
    option: &'static str,
    pointer: &'a str,
    variants: Variants<Finding>,
}

#[derive(Debug, Default)]
enum Finding {
    /// There is no answer yet.
    #[default]
    Open,
    /// It has found nothing in any answer so far, such as this one.
    Nothing(Bytes),
    /// It has found something, or the user has been warned.
    Known,
}

impl<'a> PointerCheck<'a> {
    pub(super) fn new(plan: &'a Plan, variants: usize) -> Self {
        let pointers = [("--environment", &plan.environment), ("--cpu-model", &plan.cpu_model)];
        let pointers = pointers.into_iter().filter_map(|(option, pointer)| {
            Some(Pointer { option, pointer: pointer.as_deref()?, variants: Variants::defaults(variants) })
        });
        Self(pointers.collect())
    }

    /// Takes in an answer.
    pub(super) fn observe(&mut self, variant: VariantIndex, output: &Bytes) {
        for Pointer { pointer, variants, .. } in &mut self.0 {
            let finding = &mut variants[variant];
            if matches!(finding, Finding::Known) {
                continue;
            }
            let [name] = names(output, [Some(*pointer)]);
            *finding = if name.is_some() { Finding::Known } else { Finding::Nothing(output.clone()) };
        }
    }

    /// The new warnings after a step of `variant`.
    pub(super) fn warnings(&mut self, variant: VariantIndex, name: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        for Pointer { option, pointer, variants } in &mut self.0 {
            let Finding::Nothing(answer) = &variants[variant] else { continue };
            let nearest = nearest_pointer(answer, pointer)
                .map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"));
            let text = format!("{option} {pointer} finds no string or number in the answers of {name}{nearest}");
            warnings.push(readable(&text));
            variants[variant] = Finding::Known;
        }
        warnings
    }
}
