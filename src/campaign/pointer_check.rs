//! Early warnings of JSON pointers that find nothing in the answers.

use super::{
    failure::readable,
    manifest::Plan,
    payload::{names, nearest_pointer},
    sides::{Side, Sides},
};
use hyper::body::Bytes;

/// What the pointers have found in the answers of each side so far.
#[derive(Debug)]
pub(super) struct PointerCheck<'a>(Vec<Pointer<'a>>);

#[derive(Debug)]
struct Pointer<'a> {
    option: &'static str,
    pointer: &'a str,
    sides: Sides<Finding>,
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
    pub(super) fn new(plan: &'a Plan) -> Self {
        let pointers = [("--environment", &plan.environment), ("--cpu-model", &plan.cpu_model)];
        let pointers = pointers.into_iter().filter_map(|(option, pointer)| {
            Some(Pointer { option, pointer: pointer.as_deref()?, sides: Sides::default() })
        });
        Self(pointers.collect())
    }

    /// Takes in an answer.
    pub(super) fn observe(&mut self, side: Side, output: &Bytes) {
        for Pointer { pointer, sides, .. } in &mut self.0 {
            let finding = &mut sides[side];
            if matches!(finding, Finding::Known) {
                continue;
            }
            let [name] = names(output, [Some(*pointer)]);
            *finding = if name.is_some() { Finding::Known } else { Finding::Nothing(output.clone()) };
        }
    }

    /// The new warnings after a step of `side`.
    pub(super) fn warnings(&mut self, side: Side, name: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        for Pointer { option, pointer, sides } in &mut self.0 {
            let Finding::Nothing(answer) = &sides[side] else { continue };
            let nearest = nearest_pointer(answer, pointer)
                .map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"));
            let text = format!("{option} {pointer} finds no string or number in the answers of {name}{nearest}");
            warnings.push(readable(&text));
            sides[side] = Finding::Known;
        }
        warnings
    }
}
