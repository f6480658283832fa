//! `duet prices --update`: AWS's public lists, as a server on this machine has them, and what becomes of them.

use crate::{
    campaign::{
        self, Scratch, assert_code, both, samples,
        targets::{lambda_in, on_lambda_with},
    },
    cli::{PRICES, stderr, stdout},
    handler::root,
    program,
    scripted::{Call, Reply, Scripted},
};
use lambda_duet::{
    campaign::prices::{PriceTable, RegionPrices},
    protocol::Architecture,
};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    thread,
};

/// The day on which the lists of these tests were published.
const DATE: &str = "2026-11-20";

/// A region's list, with the columns and the usage types of AWS's own.
fn list(region: &str, prices: &RegionPrices) -> String {
    let example = fs::read_to_string(root().join("src/campaign/prices/offer_file/us-east-1.csv")).unwrap();
    let mut lines: Vec<String> = example.lines().take(6).map(|line| line.replace("2026-09-19", DATE)).collect();
    let columns: Vec<String> = lines[5].split("\",\"").map(|name| name.trim_matches('"').to_owned()).collect();
    let mut add = |usage_type: &str, start: f64, end: Option<f64>, usd: f64| {
        let cell = |name: &String| match name.as_str() {
            "TermType" => "OnDemand".to_owned(),
            "StartingRange" => start.to_string(),
            "EndingRange" => end.map_or("Inf".to_owned(), |end| end.to_string()),
            "PricePerUnit" => format!("{usd:.13}"),
            "Currency" => "USD".to_owned(),
            "usageType" => format!("XYZ1-{usage_type}"),
            "Region Code" => region.to_owned(),
            _ => format!("some {name}"),
        };
        lines.push(format!("\"{}\"", columns.iter().map(cell).collect::<Vec<_>>().join("\",\"")));
    };
    for (architecture, suffix) in [(Architecture::X86_64, ""), (Architecture::Arm64, "-ARM")] {
        add(&format!("Request{suffix}"), 0.0, None, prices.request_usd);
        add(&format!("Lambda-Storage-GB-Second{suffix}"), 0.0, None, prices.ephemeral_gb_second_usd);
        let mut start = 0.0;
        for tier in prices.tiers(architecture) {
            add(&format!("Lambda-GB-Second{suffix}"), start, tier.up_to_gb_seconds, tier.gb_second_usd);
            start = tier.up_to_gb_seconds.unwrap_or_default();
        }
    }
    lines.join("\n") + "\n"
}

/// The region that a request is about, which has to be for a list.
fn region_of(call: &Call) -> String {
    let region = call.line.strip_prefix("GET /offers/v1.0/aws/AWSLambda/current/");
    region.and_then(|rest| rest.strip_suffix("/index.csv")).unwrap_or_else(|| panic!("{}", call.line)).to_owned()
}

/// A server of lists with the built-in prices, as `change` changes those of a region.
fn server(change: impl Fn(&str, &mut RegionPrices) + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |call, _| {
        let region = region_of(call);
        let built_in = PriceTable::built_in();
        // A region that the built-in table lacks has the prices that most have.
        let mut prices = built_in.region(&region).unwrap_or(built_in.region("us-east-1").unwrap()).clone();
        change(&region, &mut prices);
        Reply::ok(list(&region, &prices))
    })
}

/// A user with caches of their own.
struct User(Scratch);

impl User {
    fn new() -> Self {
        Self(Scratch::new())
    }

    fn command(&self) -> Command {
        let mut command = program::duet();
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(proxy);
        }
        command.env("XDG_CACHE_HOME", self.0.path("caches")).env("DUET_TODAY", DATE);
        command
    }

    fn duet(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn update(&self, server: &Scripted, arguments: &[&str]) -> Output {
        self.duet(&[&["prices", "--update", "--from", &server.url], arguments].concat())
    }

    fn file(&self) -> String {
        self.0.path("caches/lambda-duet/prices.toml")
    }

    /// The updated table, if there is one.
    fn kept(&self) -> Option<String> {
        fs::read_to_string(self.file()).ok()
    }

    fn table(&self) -> PriceTable {
        serde_json::from_str(&stdout(&self.duet(&["prices", "--json"]))).unwrap()
    }
}

/// A tenth more for requests in Frankfurt, and a tenth less for time on arm64 in two regions.
fn changed(region: &str, prices: &mut RegionPrices) {
    match region {
        "eu-central-1" => prices.request_usd = 0.000_000_22,
        "us-east-1" | "us-east-2" => prices.arm64[0].gb_second_usd = 0.000_012,
        _ => {}
    }
}

#[test]
fn an_update_shows_what_has_changed_and_is_what_is_in_use() {
    let (user, server) = (User::new(), server(changed));
    let output = user.update(&server, &[]);
    let text = stdout(&output);
    assert!(text.starts_with("AWS's prices of 2026-11-20: 30 regions\n"), "{text}");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [
        ["requests", "$0.2000", "$0.2200", "+10%", "eu-central-1"].as_slice(),
        &["arm64", "GB-s,", "tier", "1", "$13.3334", "$12.0000", "−10%", "us-east-1,", "us-east-2"],
    ] {
        assert!(rows.iter().any(|line| line == row), "{row:?}\n{text}");
    }
    assert_eq!(text.matches("eu-central-1").count(), 1, "{text}");
    assert_eq!(stderr(&output), format!("The prices in use are in {}\n", user.file()));
    let mut asked: Vec<String> = server.calls().iter().map(region_of).collect();
    asked.sort();
    assert!(asked.iter().eq(PriceTable::built_in().regions.keys()), "{asked:?}");

    let table = user.table();
    assert_eq!((table.date.as_str(), table.region("eu-central-1").unwrap().request_usd), (DATE, 0.000_000_22));
    assert!(table.source.contains(&server.url) && !table.source.contains("copies of"), "{}", table.source);
    let text = stdout(&user.duet(&["prices"]));
    assert!(text.contains("US dollars, 2026-11-20 (updated table)\n") && text.contains(" 12.0000 "), "{text}");
    // The same list again.
    let before = user.kept();
    let text = stdout(&user.update(&server, &[]));
    assert_eq!(text, "AWS's prices of 2026-11-20: 30 regions\nNo price has changed.\n");
    assert_eq!(user.kept(), before);

    // There are ways back, for one command and for all.
    let built_in: PriceTable =
        serde_json::from_str(&stdout(&user.duet(&["prices", "--prices", "built-in", "--json"]))).unwrap();
    assert_eq!(built_in.date, PriceTable::built_in().date);
    assert!(stdout(&user.duet(&["prices", "--reset"])).starts_with(&format!("Deleted {}", user.file())));
    assert_eq!((user.table(), user.kept()), (built_in, None));
    assert!(stdout(&user.duet(&["prices", "--reset"])).starts_with("No prices were updated"));
}

#[test]
fn one_region_may_be_updated_and_a_new_one_added() {
    let (user, server) = (User::new(), server(changed));
    let text = stdout(&user.update(&server, &["--region", "eu-central-1", "--region", "mx-central-1"]));
    assert!(text.contains("2026-11-20: 2 regions") && text.contains("New regions: mx-central-1"), "{text}");
    assert_eq!(server.count(), 2);
    let (table, built_in) = (user.table(), PriceTable::built_in());
    assert_eq!((table.regions.len(), table.date.as_str()), (31, DATE));
    assert_eq!(table.region("us-east-1").unwrap().date.as_ref(), Some(&built_in.date));
    let text = stdout(&user.duet(&["prices"]));
    assert!(text.contains(&format!("US dollars, {} to 2026-11-20\n", built_in.date)), "{text}");
    assert!(text.contains(&format!("\n{} (built-in table): af-south-1, ", built_in.date)), "{text}");
    assert!(text.contains("\n2026-11-20 (updated table): eu-central-1, mx-central-1\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    // The others later, and the new region with them.
    assert!(stdout(&user.update(&server, &[])).contains("2026-11-20: 31 regions"));
    assert_eq!(user.table().regions.values().filter(|prices| prices.date.is_some()).count(), 0);
}

#[test]
fn an_update_that_fails_leaves_what_there_was() {
    let (user, good) = (User::new(), server(changed));
    stdout(&user.update(&good, &[]));
    let before = user.kept();
    let refused = |reply: fn(&str, String) -> Reply| {
        let bad = Scripted::start(move |call, _| {
            let region = region_of(call);
            let prices = built_in(&region);
            reply(&region, list(&region, &prices))
        });
        let output = user.update(&bad, &["--region", "us-east-1"]);
        assert_code(&output, 1);
        assert!(output.stdout.is_empty() && user.kept() == before);
        let message = stderr(&output);
        let begin = format!("duet: the prices of 1 of 1 regions stay as they were, at {}:\n  us-east-1: ", bad.url);
        message.strip_prefix(&begin).unwrap_or_else(|| panic!("{message}")).trim_end().to_owned()
    };
    assert_eq!(refused(|_, _| Reply::status(404, "")), "there is no list of such a region (404 Not Found)");
    assert_eq!(refused(|_, _| Reply::status(500, "")), "the server answered 500 Internal Server Error");
    assert_eq!(refused(|_, _| Reply::status(302, "").header("location", "/x")), "the server answered 302 Found");
    assert!(refused(|_, _| Reply::lost()).contains("connection"));
    assert!(
        refused(|_, _| Reply::ok("<html>Sign in</html>")).starts_with("it is not one of AWS's lists of prices, in CSV")
    );
    let half = refused(|_, list| Reply::ok(&list[..list.len() / 2 + 400]));
    assert!(half.starts_with("it has no price of ") || half.contains("do not join"), "{half}");
    assert_eq!(
        refused(|_, list| Reply::ok(list.replace("\"USD\"", "\"CNY\""))),
        "the currency of XYZ1-Request is \"CNY\"; it must be USD: bills are in US dollars"
    );
    assert_eq!(
        refused(|_, list| Reply::ok(list.replace("\"0.0000166667000\"", "\"0.0166667000\""))),
        "a GB-second of x86_64 is $0.0166667 there and $0.0000166667 until now, which differs too much to be believed"
    );
    assert_eq!(
        refused(|_, list| Reply::ok(list.replace(DATE, "2026-09-01"))),
        "the list is of 2026-09-01, older than the prices in use, of 2026-11-20"
    );
}

fn built_in(region: &str) -> RegionPrices {
    PriceTable::built_in().region(region).unwrap().clone()
}

#[test]
fn a_body_that_is_cut_off_is_no_list() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let list = list("us-east-1", &built_in("us-east-1"));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", list.len() + 1);
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(list.as_bytes())).unwrap();
    });
    let user = User::new();
    let output = user.duet(&["prices", "--update", "--from", &url, "--region", "us-east-1"]);
    serving.join().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("us-east-1: ") && user.kept().is_none(), "{}", stderr(&output));
}

#[test]
fn regions_that_fail_are_named_and_the_others_updated() {
    let user = User::new();
    let server = Scripted::start(|call, _| match region_of(call).as_str() {
        "eu-west-1" | "eu-west-2" => Reply::status(503, ""),
        region => Reply::ok(list(region, &built_in(region))),
    });
    let output = user.update(&server, &[]);
    assert_code(&output, 1);
    let message = stderr(&output);
    let expected = format!(
        "duet: the prices of 2 of 30 regions stay as they were, at {}:\n  eu-west-1, eu-west-2: the server answered 503 \
         Service Unavailable\n",
        server.url
    );
    assert!(message.ends_with(&expected), "{message}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2026-11-20: 28 regions"));
    let table = user.table();
    let older: Vec<&String> =
        table.regions.iter().filter(|(_, prices)| prices.date.is_some()).map(|(name, _)| name).collect();
    assert_eq!(older, ["eu-west-1", "eu-west-2"]);
}

#[test]
fn lists_are_asked_of_aws_through_proxies() {
    let user = User::new();
    let proxy = Scripted::start(|call, _| {
        if call.line.starts_with("CONNECT ") {
            return Reply::status(403, "");
        }
        Reply::ok(list("us-east-1", &built_in("us-east-1")))
    });
    let mut command = user.command();
    command.env("HTTPS_PROXY", &proxy.url).args(["prices", "--update", "--region", "us-east-1"]);
    let output = command.output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(
        message.contains("at https://pricing.us-east-1.amazonaws.com:") && message.contains(&proxy.url),
        "{message}"
    );
    let mut command = user.command();
    command.env("HTTP_PROXY", &proxy.url);
    command.args(["prices", "--update", "--region", "us-east-1", "--from", "http://mirror.example/aws/"]);
    stdout(&command.output().unwrap());
    let lines: Vec<String> = proxy.calls().into_iter().map(|call| call.line).collect();
    assert_eq!(
        lines,
        [
            "CONNECT pricing.us-east-1.amazonaws.com:443",
            "GET http://mirror.example/aws/offers/v1.0/aws/AWSLambda/current/us-east-1/index.csv"
        ]
    );
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let user = User::new();
    for (arguments, reason) in [
        (["--update", "--region", "eu"].as_slice(), "--region eu is no region"),
        (&["--update", "--region", "../../x"], "is no region"),
        (&["--update", "--region", "cn-north-1"], "--region cn-north-1 asks in yuan"),
        (&["--update", "--from", "https:mirror"], "--from is not an address of lists: "),
        (&["--update", "--from", "ftp://mirror/"], "does not begin with https:// or http://"),
        (&["--update", "--from", "https://me:s3cret@mirror/"], "has a user name or a password"),
        (&["--from", "http://mirror/"], "--update"),
        (&["--update", "--json"], "cannot be used with"),
        (&["--reset", "--update"], "cannot be used with"),
    ] {
        let output = user.duet(&[&["prices"], arguments].concat());
        assert_code(&output, 2);
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
    let mut command = user.command();
    command.env_remove("XDG_CACHE_HOME").env("HOME", "relative").args(["prices", "--update"]);
    let output = command.output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("set XDG_CACHE_HOME"), "{}", stderr(&output));
}

#[test]
fn an_updated_table_that_is_broken_is_named_with_the_fix() {
    let (user, server) = (User::new(), server(changed));
    stdout(&user.update(&server, &[]));
    fs::write(user.file(), "regions = 1").unwrap();
    let payload = user.0.file("payload.json", "{}");
    let target = "https://abc.execute-api.eu-south-1.amazonaws.com/";
    let run = ["run", "--targets", target, target, "--no-auth", "--dry-run", "--payload", &payload];
    for arguments in [["prices"].as_slice(), &run] {
        let output = user.duet(arguments);
        assert_code(&output, 1);
        let message = stderr(&output);
        let expected = format!(
            "reading the updated prices from {} (`duet prices --update` replaces them, `duet prices --reset` deletes them): ",
            user.file()
        );
        assert!(message.contains(&expected) && message.contains("TOML parse error"), "{message}");
    }
    assert_code(&user.duet(&[&run[..], &["--prices", "built-in"]].concat()), 0);
    let output = user.update(&server, &[]);
    assert!(stdout(&output).contains("requests") && stderr(&output).contains("TOML parse error"));
    assert_eq!(user.table().date, DATE);
}

#[test]
fn a_campaign_takes_the_updated_prices_and_keeps_them() {
    let (user, list_server) = (User::new(), server(changed));
    stdout(&user.update(&list_server, &[]));
    let lambda = lambda_in("us-east-1", 1769, 512);
    let caches = [("XDG_CACHE_HOME", user.0.path("caches"))];
    let output = on_lambda_with(&user.0, &lambda, &[], &caches);
    assert_code(&output, 0);
    let run = user.0.path("run");
    let (manifest, rows) = samples(&run);
    let expected = 0.000_000_2 + 0.000_012 * 0.02 * 1769.0 / 1024.0;
    let of_arm64 = rows.iter().filter(|row| row.variant == both()[1]);
    assert!(of_arm64.into_iter().all(|row| (row.cost_usd - expected).abs() < 1e-12));
    let stored = serde_json::to_value(&manifest.variants[both()[1]].price).unwrap();
    assert_eq!((&stored["date"], &stored["table"]), (&DATE.into(), &"updated".into()));
    assert!(Path::new(&run).join("campaign.json").exists());

    let bill = |arguments: &[&str]| {
        let text = stdout(&user.duet(&[&["report", &run, "--details"], arguments].concat()));
        // Lines end anywhere between words.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let updated = "Prices: us-east-1, 2026-11-20 (updated table), without the free tier.";
    assert!(bill(&[]).contains(updated), "{}", bill(&[]));
    let built_in = format!("Prices: us-east-1, {} (built-in table), without", PriceTable::built_in().date);
    assert!(bill(&["--prices", "built-in"]).contains(&built_in), "{}", bill(&["--prices", "built-in"]));
    // What the campaign has stored stays, whatever is in use later.
    stdout(&user.duet(&["prices", "--reset"]));
    assert!(bill(&[]).contains(updated));
    assert!(bill(&["--prices", "current"]).contains(&built_in));

    fs::remove_dir_all(&run).unwrap();
    let output = on_lambda_with(&user.0, &lambda, &["--prices", "built-in"], &caches);
    assert_code(&output, 0);
    assert!(bill(&[]).contains(&built_in));
}

#[test]
fn prices_that_are_old_are_said_to_be_once_and_on_standard_error() {
    let (user, list_server) = (User::new(), server(changed));
    let built_in = PriceTable::built_in().date;
    let on = |day: &str, arguments: &[&str]| {
        let output = user.command().env("DUET_TODAY", day).args(arguments).output().unwrap();
        assert_code(&output, 0);
        output
    };
    let output = on("2099-12-31", &["prices", "--json"]);
    let begin = format!("Prices are of {built_in}, ");
    let message = stderr(&output);
    assert!(
        message.starts_with(&begin) && message.ends_with(" days old; `duet prices --update` gets today's\n"),
        "{message}"
    );
    assert!(serde_json::from_slice::<PriceTable>(&output.stdout).is_ok());

    // A campaign says so when it takes prices, a report of those that it has stored.
    let (payload, run) = (user.0.file("payload.json", "{}"), user.0.path("run"));
    let lambda = lambda_in("us-east-1", 1769, 512);
    let mut command = campaign::command(&lambda.url, &["--targets", "lambda:x", "lambda:a", "--payload", &payload]);
    command.args(["--out", &run, "--environments", "2", "--invocations", "8"]).env("DUET_TODAY", "2099-12-31");
    let output = command.output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stderr(&output).matches("days old").count(), 1, "{}", stderr(&output));
    let output = on("2099-12-31", &["report", &run, "--format", "json"]);
    let message = stderr(&output);
    assert!(message.starts_with(&format!("Prices stored with the campaign are of {built_in}, ")), "{message}");
    assert_eq!((message.lines().count(), message.contains("--prices current")), (1, true), "{message}");
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());

    // A gate says so where it is about money.
    for (condition, reminders) in [("--max-slowdown", 0), ("--max-cost-increase", 1)] {
        let mut gate = user.command();
        let output = gate.env("DUET_TODAY", "2099-12-31").args(["gate", &run, condition, "5%"]).output().unwrap();
        assert_eq!(stderr(&output).matches("days old").count(), reminders, "{}", stderr(&output));
    }

    // Not a table of one's own, and not updated ones.
    let own = user.0.file("own.toml", PRICES);
    assert_eq!(stderr(&on("2099-12-31", &["prices", "--prices", &own])), "");
    stdout(&user.update(&list_server, &[]));
    assert_eq!(stderr(&on("2027-02-18", &["prices"])), "");
    let message = stderr(&on("2027-02-19", &["prices"]));
    assert_eq!(message, "Prices are of 2026-11-20, 91 days old; `duet prices --update` gets today's\n");
}
