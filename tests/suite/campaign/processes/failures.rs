//! What a function says that does not come up, or ends, and where it can be read.

use super::{Scratch, assert_code, campaign, command, duet, function, run, stderr, stdout};
use lambda_duet::campaign::row::FailureKind;
use serde_json::Value;
use std::fs;

/// What the first call of a campaign on a function failed with, and the log that it names.
fn failure(code: &str) -> (FailureKind, String, String) {
    let scratch = Scratch::new();
    let target = function(&scratch, "bootstrap", code);
    // With one environment, five blocks are made before a side is given up.
    let (output, rows) = run(&scratch, &target, &[]);
    assert_code(&output, 3);
    let failure = rows[0].failure.clone().unwrap();
    let log = failure.message.rsplit_once("; its log is ").unwrap_or_else(|| panic!("{failure}")).1.to_owned();
    assert_eq!(log, scratch.path(&format!("run/variant-{}.log", rows[0].variant)));
    let log = fs::read_to_string(log).unwrap();
    (failure.kind, failure.message, log)
}

#[test]
fn an_init_error_is_shown() {
    let report = |body: &str, headers: &str| {
        failure(&format!(
            "print('reporting', file=sys.stderr)\nask('POST', 'init/error', {body:?}, {headers})\nsys.exit(1)\n"
        ))
    };
    let trace = r#"["  at load (main.js:1)", "at init (main.js:2)", ["main.js", 3], "never shown"]"#;
    let body = format!(r#"{{"errorType": "Config.Missing", "errorMessage": "no TABLE", "stackTrace": {trace}}}"#);
    let (kind, message, log) = report(&body, "{}");
    assert_eq!((kind, log.matches("reporting\n").count() >= 1), (FailureKind::Function, true));
    let expected = "bootstrap could not come up: Config.Missing: no TABLE; at load (main.js:1); at init (main.js:2); at \
                    [\"main.js\",3]; its log is ";
    assert!(message.contains(expected), "{message}");
    // The kind may stand in a header alone, and the body may be anything.
    let header = "{'Lambda-Runtime-Function-Error-Type': 'Runtime.NoHandler'}";
    let (_, message, _) = report(r#"{"errorMessage": "x"}"#, header);
    assert!(message.contains("could not come up: Runtime.NoHandler: x; its log"), "{message}");
    let (_, message, _) = report("plain words", header);
    assert!(message.contains("could not come up: Runtime.NoHandler: plain words; its log"), "{message}");
    let (_, message, _) = report("plain words", "{}");
    assert!(message.contains("could not come up: Unknown: plain words; its log"), "{message}");
    // Also where the function then waits instead of ending.
    let (_, message, _) =
        failure("ask('POST', 'init/error', '{\"errorType\": \"A\", \"errorMessage\": \"b\"}')\ntime.sleep(600)\n");
    assert!(message.contains("could not come up: A: b; its log"), "{message}");

    let scratch = Scratch::new();
    let code = "ask('POST', 'init/error', '{\"errorType\": \"A\", \"errorMessage\": \"b\"}')\nprint('seen', file=sys.stderr)\nsys.exit(1)\n";
    let output = duet(&["call", &function(&scratch, "bootstrap", code)]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("bootstrap could not come up: A: b\n"), "{}", stderr(&output));
}

#[test]
fn how_a_function_ended_is_shown_with_its_log() {
    for (code, status) in [
        ("sys.exit('wrong\\nconfiguration')", "exit status: 1"),
        ("print('wrong\\nconfiguration', flush=True)\nos._exit(7)", "exit status: 7"),
        ("print('wrong\\nconfiguration', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)", "signal: 11 (SIGSEGV)"),
        ("def die(event):\n    sys.exit('wrong\\nconfiguration')\nserve(die)", "exit status: 1"),
    ] {
        let (kind, message, log) = failure(code);
        assert_eq!(kind, FailureKind::Function);
        assert!(
            message.contains(&format!("bootstrap ended ({status}")) && message.contains("; its log is "),
            "{message}"
        );
        assert!(log.starts_with("wrong\nconfiguration\n"), "{log}");
    }
}

#[test]
fn output_of_a_function_goes_to_the_log_of_its_variant() {
    let scratch = Scratch::new();
    let code = |name: &str| {
        format!(
            "print('{name} starts', flush=True)\ndef handler(event):\n    print('{name} works', file=sys.stderr)\n    return '{{}}'\nserve(handler)\n"
        )
    };
    let (one, other) = (function(&scratch, "one", &code("one")), function(&scratch, "other", &code("other")));
    let output = campaign(&scratch, &one, &other, &["--invocations", "4", "--json"]).output().unwrap();
    assert_code(&output, 0);
    let events = String::from_utf8(output.stdout.clone()).unwrap();
    for line in events.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert!(!stderr(&output).contains("works") && !stderr(&output).contains("starts"), "{}", stderr(&output));
    let log = |place: usize| fs::read_to_string(scratch.path(&format!("run/variant-{place}.log"))).unwrap();
    assert_eq!(log(0), "one starts\none works\none works\n");
    assert_eq!(log(1), "other starts\nother works\nother works\n");
    // A resumed campaign appends.
    let samples = fs::read_to_string(scratch.path("run/samples.jsonl")).unwrap();
    let kept: String = samples.split_inclusive('\n').take(2).collect();
    fs::write(scratch.path("run/samples.jsonl"), kept).unwrap();
    assert_code(&command("", &["--resume", &scratch.path("run")]).output().unwrap(), 0);
    assert_eq!(log(0), "one starts\none works\none works\none starts\none works\n");
    // A single call has its log on the terminal.
    let output = duet(&["call", &one]);
    assert!(stderr(&output).contains("one starts\none works\n"), "{}", stderr(&output));
}

#[test]
fn a_process_that_is_interrupted_at_its_start_is_restarted_once() {
    let start = |times: u32| {
        let scratch = Scratch::new();
        let code = format!(
            "note('starts', 'one')\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n\
             len(open(ROOT + '/starts').readlines()) > {times} or os.kill(os.getpid(), signal.SIGINT)\n\
             serve(lambda event: '{{}}')\n"
        );
        duet(&["call", &function(&scratch, "bootstrap", &code), "--json"])
    };
    assert_eq!(stdout(&start(1)), "{}\n");
    let message = stderr(&start(2));
    assert!(message.contains("bootstrap ended (signal: 2 (SIGINT)) before it answered"), "{message}");
}
