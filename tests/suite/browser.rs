//! Pages as a browser shows them.

use crate::{
    campaign::{Scratch, assert_code, command},
    cli::{duet, stdout},
    fabricated::Fabricated,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Names of the browser, wherever it comes from.
const BROWSERS: [&str; 4] = ["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
/// A page takes about a second; a machine that is busy gets time.
const LIMIT: Duration = Duration::from_secs(120);

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether the reader prefers dark pages.
    pub dark: bool,
    /// The window, in pixels.
    pub window: (u32, u32),
}

/// What a page had the browser say.
#[derive(Debug)]
pub struct Console(pub Vec<String>);

/// Opens a page in headless Chromium and takes its picture. What a page is not allowed by its own policy, such as a
/// request, is in the console too.
pub fn open_in_browser(page: &Path, screenshot: &Path, view: View) -> Console {
    let scratch = Scratch::new();
    let log = PathBuf::from(scratch.path("log"));
    let (width, height) = view.window;
    let mut child = Command::new(browser())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // Containers have little of /dev/shm.
        .args(["--disable-dev-shm-usage", "--virtual-time-budget=2000", "--enable-logging=stderr", "--v=0"])
        // Not --force-dark-mode, which is about the window around the page.
        .arg(format!("--blink-settings=preferredColorScheme={}", if view.dark { 0 } else { 1 }))
        .arg(format!("--user-data-dir={}", scratch.path("profile")))
        .arg(format!("--screenshot={}", screenshot.display()))
        .arg(format!("--window-size={width},{height}"))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let status = wait(&mut child);
    let log = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    assert!(status.is_some_and(|it| it.success()) && screenshot.exists(), "{status:?}: {log}");
    Console(log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect())
}

fn browser() -> &'static str {
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|it| it.status.success());
    BROWSERS.into_iter().find(runs).expect("Chromium is missing; scripts/setup.sh check installs it")
}

/// How it ended; none where it did not in time.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let begin = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            None if begin.elapsed() < LIMIT => thread::sleep(Duration::from_millis(50)),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                return None;
            }
            status => return status,
        }
    }
}

/// Width and height of a PNG, which are the first that it says.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn a_report_opens_without_errors() {
    let scratch = Scratch::new();
    let (out, page) = (scratch.path("run"), scratch.path("report <i>&.html"));
    let arguments = [
        ["--targets", "local", "local", "--workload", "sorting/radix", "--workload", "math/fft", "--size", "200"]
            .as_slice(),
        &["--iterations", "2", "--environments", "8", "--invocations", "96", "--out", &out],
    ]
    .concat();
    assert_code(&command("", &arguments).output().unwrap(), 0);
    assert_code(&duet(&["report", &out, "--html", &page]), 0);
    let mut plot_data = Vec::new();
    for dark in [false, true] {
        for window in [(1200, 5000), (420, 5000)] {
            let picture = PathBuf::from(scratch.path(&format!("{dark}-{}.png", window.0)));
            let Console(said) = open_in_browser(Path::new(&page), &picture, View { dark, window });
            assert!(said.is_empty(), "{said:#?}");
            let picture = fs::read(picture).unwrap();
            assert_eq!(size(&picture), window);
            plot_data.push(picture);
        }
    }
    // A blank page is a tenth of that.
    assert!(plot_data.iter().all(|it| it.len() > 100_000), "{:?}", plot_data.iter().map(Vec::len).collect::<Vec<_>>());
    assert_ne!(plot_data[0], plot_data[2], "light and dark are the same");
}

#[test]
fn other_mixes_of_cpu_models_are_drawn_and_fit() {
    let scratch = Scratch::new();
    let (run, page) = (scratch.path("run"), scratch.path("report.html"));
    Fabricated { cpus: vec!["Neoverse-V1", "Neoverse-N1"], ..Fabricated::default() }.write(&run);
    let text = stdout(&duet(&["report", &run, "--details", "--html", &page]));
    assert!(text.contains("arm64 by the proportion of Neoverse-"), "{text}");
    let html = fs::read_to_string(&page).unwrap();
    let (_, section) = html.split_once("<section aria-label=\"Other mixes of CPU models\">").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    let label = "role=\"img\" aria-label=\"Change of time of arm64 beside x86_64 by the proportion of Neoverse-";
    assert_eq!(section.matches(label).count(), 2, "{section}");
    // The page allows no script, so that a copy without its policy measures itself.
    let measure =
        "<script>console.log('too wide by', document.documentElement.scrollWidth - innerWidth, 'pixels')</script>";
    let copy = html.replace("http-equiv=\"Content-Security-Policy\"", "") + measure;
    fs::write(&page, copy).unwrap();
    for window in [(1200, 5000), (420, 5000)] {
        let view = View { dark: false, window };
        let Console(said) = open_in_browser(Path::new(&page), Path::new(&scratch.path("page.png")), view);
        assert!(said.len() == 1 && said[0].contains("too wide by 0 pixels"), "{window:?}: {said:#?}");
    }
}

#[test]
fn errors_of_the_browser_are_found() {
    let scratch = Scratch::new();
    let page = PathBuf::from(scratch.path("page.html"));
    let policy = "<!DOCTYPE html><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    let view = View { dark: false, window: (600, 400) };
    let of = |text: &str| {
        fs::write(&page, format!("{policy}{text}")).unwrap();
        open_in_browser(&page, Path::new(&scratch.path("page.png")), view).0.join("\n")
    };
    assert!(of("<img src=http://127.0.0.1:9/pixel.png>").contains("Content Security Policy"));
    assert!(of("<script>console.log('a script')</script>").contains("Content Security Policy"));
    assert_eq!(of("<p>Nothing."), "");
}
