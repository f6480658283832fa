//! The bill, and how it grows with volume.

use super::{
    axis::{Axis, thousands},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{columns, figure, is_narrow, legend, levels, numbers, paint, table},
};
use crate::{
    analysis::result::{Analysis, Cost, Money},
    campaign::sides::Sides,
    report::{
        facts::cold_share,
        words::{dollars, names, percent, significant},
    },
};
use maud::{Markup, html};

/// Cost against volume, and the bills.
pub fn section(analysis: &Analysis) -> Markup {
    html! {
        section aria-labelledby="money" {
            h2 #money { "The bill" }
            @match &analysis.money {
                None => p { "No bill: no billed durations are known of both sides, as Lambda alone reports them." },
                Some(money) => {
                    p { (summary(analysis, money)) " " (cold_share(money)) }
                    (chart(analysis, money))
                    (numbers("The bills", &bills(analysis, money)))
                    @if !money.by_volume.is_empty() { (numbers("By volume", &volumes(analysis, money))) }
                }
            }
        }
    }
}

fn summary(analysis: &Analysis, money: &Money) -> String {
    let names = names(analysis);
    let Money { monthly, savings, savings_interval, break_even, .. } = money;
    let interval = savings_interval.map(|it| {
        let confidence = percent(analysis.method.confidence);
        format!(" ({confidence} interval {} to {})", percent(it.low), percent(it.high))
    });
    let saved = match *savings < 0.0 {
        true => format!("{} more", percent(-savings)),
        false => format!("{} less", percent(*savings)),
    };
    let bills = format!(
        "At {} invocations a month{}, {} costs {} and {} {}: {saved}{}.",
        thousands(money.invocations_per_month),
        if money.free_tier { ", with the free tier taken off" } else { "" },
        names.baseline,
        dollars(monthly.baseline.total_usd),
        names.candidate,
        dollars(monthly.candidate.total_usd),
        interval.unwrap_or_default()
    );
    match break_even {
        None => bills,
        Some(factor) => format!(
            "{bills} {} costs as much once its billed duration is {} times that of {}.",
            names.candidate,
            significant(*factor),
            names.baseline
        ),
    }
}

/// A volume with the bills that can be drawn.
type Point = (f64, Sides<f64>);

fn usable(money: &Money) -> Vec<Point> {
    let fine = |it: &f64| it.is_finite() && it.abs() < 1e15;
    let points = money
        .by_volume
        .iter()
        .filter(|(volume, bill)| fine(volume) && *volume > 0.0 && bill.iter().all(|(_, it)| fine(it)));
    // Where the free tier covers all, there is nothing to draw.
    points.copied().skip_while(|(_, bill)| bill.iter().all(|(_, it)| *it <= 0.0)).collect()
}

fn chart(analysis: &Analysis, money: &Money) -> Markup {
    let points = usable(money);
    if points.is_empty() {
        return html! { p { "No chart: there is no volume at which either side costs anything." } };
    }
    let names = names(analysis);
    let label = "Monthly bill of both sides against invocations a month, and below it the share that is saved. The same \
                 numbers are in the table by volume.";
    let caption = html! {
        "Above: a month's bill against the invocations in it; both scales are logarithmic. Below: by how much the bill of "
        (names.candidate) " is lower. The dashed line is the volume that the bill above is for."
    };
    figure(label, &caption, &html! {}, |_| 340.0, |canvas, width| draw(canvas, width, &points, money, &names))
}

fn draw(canvas: &Canvas<'_>, width: f64, points: &[Point], money: &Money, names: &Sides<String>) {
    let (from, to) = (if is_narrow(width) { 56.0 } else { 72.0 }, width - 12.0);
    let x = Axis::logarithmic(points.iter().map(|(volume, _)| *volume), (from, to));
    legend(canvas, names, (from, 8.0), width);
    let (top, bottom) = (26.0, 190.0);
    let bills = points.iter().flat_map(|(_, bill)| [bill.baseline, bill.candidate]).filter(|it| *it > 0.0);
    let most = bills.clone().fold(0.0, f64::max);
    // What is next to nothing beside the largest bill has no part in the question.
    let y = Axis::logarithmic(bills.filter(|it| *it > most / 1e6).chain((most == 0.0).then_some(1.0)), (bottom, top));
    levels(canvas, &y.labelled(5, dollars), (from, to));
    for side in crate::campaign::sides::Side::BOTH {
        let line: Vec<_> = points
            .iter()
            .filter(|(_, bill)| bill[side] > 0.0)
            .map(|(at, bill)| (x.at(*at), y.at(bill[side])))
            .collect();
        draw_line(canvas, &line, paint(side), points.len().div_ceil(8));
    }
    let (upper, lower) = (232.0, 296.0);
    let savings: Vec<(f64, f64)> = points.iter().filter_map(|(at, bill)| Some((*at, saved(bill)?))).collect();
    let share = Axis::linear(savings.iter().map(|(_, it)| it.clamp(-2.0, 1.0)).chain([0.0, 0.1]), (lower, upper));
    levels(canvas, &share.labelled(3, percent), (from, to));
    canvas.line((from, share.at(0.0)), (to, share.at(0.0)), Paint::Muted, 1.0);
    let name = shortened(&names.candidate, 20);
    canvas.text(&format!("saved by {name}"), (from, upper - 12.0), Anchor::Start, Paint::Muted);
    let line: Vec<_> = savings.iter().map(|(at, it)| (x.at(*at), share.at(*it))).collect();
    draw_line(canvas, &line, Paint::Ink, points.len() + 1);
    columns(canvas, &x.labelled(if is_narrow(width) { 4 } else { 9 }, thousands), (lower, lower + 4.0));
    canvas.text("invocations a month", (to, lower + 4.0 + LINE * 1.8), Anchor::End, Paint::Muted);
    if x.holds(money.invocations_per_month) {
        canvas.dashed(x.at(money.invocations_per_month), (top, lower), Paint::Muted);
    }
}

fn draw_line(canvas: &Canvas<'_>, points: &[(f64, f64)], paint: Paint, every: usize) {
    if points.len() > 1 {
        canvas.path(points, paint, 2.0);
    }
    let every = if points.len() < 2 { 1 } else { every };
    for point in points.iter().rev().step_by(every).take(if every > points.len().max(1) { 0 } else { points.len() }) {
        canvas.mark(*point, 3.5, paint);
    }
}

fn saved(bill: &Sides<f64>) -> Option<f64> {
    (bill.baseline > 0.0).then(|| 1.0 - bill.candidate / bill.baseline)
}

fn bills(analysis: &Analysis, money: &Money) -> Markup {
    let names = names(analysis);
    let head = ["bill", "requests", "compute", "storage", "all", "interval", "prices"];
    let line = |what: &str, name: &str, cost: &Cost, prices: &str| {
        let interval = cost.interval.map(|it| format!("{} to {}", dollars(it.low), dollars(it.high)));
        vec![
            format!("{name}, {what}"),
            dollars(cost.requests_usd),
            dollars(cost.compute_usd),
            dollars(cost.storage_usd),
            dollars(cost.total_usd),
            interval.unwrap_or("–".to_owned()),
            prices.to_owned(),
        ]
    };
    let month = format!("{} a month", thousands(money.invocations_per_month));
    let rows: Vec<Vec<String>> = [(&money.monthly, month.as_str()), (&money.per_million, "a million invocations")]
        .into_iter()
        .flat_map(|(costs, what)| costs.iter().map(move |(side, cost)| (side, cost, what)))
        .map(|(side, cost, what)| line(what, &names[side], cost, &money.prices[side]))
        .collect();
    let caption = "US dollars, all cells alike often. A million invocations are before free tier and higher tiers.";
    table(caption, &head, &rows)
}

fn volumes(analysis: &Analysis, money: &Money) -> Markup {
    let names = names(analysis);
    let head = ["invocations a month", &names.baseline, &names.candidate, "saved"];
    let rows: Vec<Vec<String>> = money
        .by_volume
        .iter()
        .map(|(volume, bill)| {
            let saved = saved(bill).map_or("–".to_owned(), percent);
            vec![thousands(*volume), dollars(bill.baseline), dollars(bill.candidate), saved]
        })
        .collect();
    table("A month's bill by volume.", &head, &rows)
}
