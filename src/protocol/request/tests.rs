//! Valid requests, and the errors of invalid ones.

use super::*;
use proptest::prelude::*;

/// The benchmark that `text` asks for.
fn parse(text: &str) -> Result<Request, Error> {
    ServiceRequest::parse(text).map(|request| match request {
        ServiceRequest::Benchmark(request) => request,
        ServiceRequest::Census(census) => panic!("{text} gave {census:?}"),
    })
}

fn refusal(text: &str) -> (Option<String>, String) {
    match parse(text) {
        Err(Error::InvalidRequest { field, detail }) => (field, detail),
        other => panic!("{text} gave {other:?}"),
    }
}

#[test]
fn an_empty_request_has_the_defaults() {
    for text in ["", "  \n", "{}"] {
        assert_eq!(parse(text).unwrap(), Request::default());
    }
}

#[test]
fn every_field_is_read() {
    let text = r#"{"workloads":["sorting","math/matmul"],"size":7,"shape":"few-unique","iterations":1000,
                   "warmup":0,"seed":18446744073709551615,"heap":false,"emit_metrics":false}"#;
    let request = parse(text).unwrap();
    let expected = Request {
        workloads: Selection::Some(vec!["sorting".into(), "math/matmul".into()]),
        size: Size::Elements(7),
        shape: Shape::FewUnique,
        iterations: 1000,
        warmup: 0,
        seed: u64::MAX,
        heap: false,
        emit_metrics: false,
    };
    assert_eq!(request, expected);
}

#[test]
fn all_is_read_alone_or_in_an_array() {
    for text in [r#"{"workloads":"all"}"#, r#"{"workloads":["sorting","all"]}"#] {
        assert_eq!(parse(text).unwrap().workloads, Selection::All);
    }
}

#[test]
fn refusals_name_the_field_the_value_and_the_fix() {
    let cases = [
        (r#"{"itertaions":3}"#, "itertaions", "did you mean \"iterations\"?"),
        (r#"{"Records":[]}"#, "Records", "the fields are workloads, size"),
        (r#"{"iterations":0}"#, "iterations", "an integer from 1 to 1000, not 0"),
        (r#"{"iterations":1001}"#, "iterations", "an integer from 1 to 1000, not 1001"),
        (r#"{"iterations":"ten"}"#, "iterations", "not \"ten\""),
        (r#"{"iterations":1.5}"#, "iterations", "not 1.5"),
        (r#"{"warmup":-1}"#, "warmup", "an integer from 0 to 100, not -1"),
        (r#"{"seed":null}"#, "seed", "not null"),
        (r#"{"heap":1}"#, "heap", "true or false, not 1"),
        (r#"{"emit_metrics":"no"}"#, "emit_metrics", "true or false, not \"no\""),
        (r#"{"size":"huge"}"#, "size", "not \"huge\""),
        (r#"{"size":0}"#, "size", "from 1, not 0"),
        (r#"{"size":{}}"#, "size", "not an object"),
        (r#"{"shape":"Sorted"}"#, "shape", "\"few-unique\", not \"Sorted\""),
        (r#"{"shape":2}"#, "shape", "not 2"),
        (r#"{"workloads":[]}"#, "workloads", "not an empty array"),
        (r#"{"workloads":"sorting"}"#, "workloads", "not \"sorting\""),
        (r#"{"workloads":["sorting",3]}"#, "workloads[1]", "not 3"),
    ];
    for (text, field, part) in cases {
        let (at, detail) = refusal(text);
        assert_eq!(at.as_deref(), Some(field), "{text}");
        assert!(detail.contains(part), "{text} gave {detail}");
    }
}

#[test]
fn a_repeated_field_is_refused_in_every_position() {
    for (text, field) in [
        (r#"{"seed":1,"seed":2}"#, "seed"),
        (r#"{"seed":1,"size":"small","seed":1}"#, "seed"),
        (r#"{"size":"small","heap":true,"iterations":3,"heap":true}"#, "heap"),
        // The same name, written otherwise.
        (r#"{"seed":1,"s\u0065ed":2}"#, "seed"),
        (r#"{"Records":[],"Records":[]}"#, "Records"),
        (r#"{"":1,"":2}"#, ""),
    ] {
        let (at, detail) = refusal(text);
        assert_eq!(at.as_deref(), Some(field), "{text}");
        assert!(detail.contains("more than once"), "{text} gave {detail}");
    }
}

#[test]
fn anything_but_an_object_is_refused() {
    for (text, part) in [("{", "not JSON"), ("[1]", "an array"), ("\"{}\"", "\"{}\""), ("null", "null")] {
        let (field, detail) = refusal(text);
        assert_eq!(field, None);
        assert!(detail.contains(part), "{text} gave {detail}");
    }
}

#[test]
fn an_overlong_body_is_not_read() {
    let text = format!("{{\"seed\":{}1}}", " ".repeat(MAX_BODY_BYTES));
    assert!(matches!(parse(&text), Err(Error::InputTooLarge { field: None, .. })));
}

#[test]
fn a_long_value_is_cut_in_the_message() {
    let long = "ü".repeat(500);
    for text in [format!(r#"{{"size":"{long}"}}"#), format!(r#"{{"{long}":1}}"#)] {
        let (field, detail) = refusal(&text);
        assert!(detail.chars().count() < 200 && field.unwrap().chars().count() < 50, "{detail}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = ServiceRequest::parse(&text);
    }

    #[test]
    fn a_written_request_is_read_back(iterations in 1u32..=1000, warmup in 0u32..=100, seed: u64, elements in 1u64..,
                                    shape in prop::sample::select(&Shape::ALL), heap: bool, emit_metrics: bool) {
        let request = Request { size: Size::Elements(elements), shape, iterations, warmup, seed, heap, emit_metrics,
                                ..Request::default() };
        let text = serde_json::to_string(&request).unwrap();
        prop_assert_eq!(parse(&text).unwrap(), request);
    }
}
