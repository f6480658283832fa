//! The bill, and how it grows with volume.

use super::{
    axis::{Axis, has_logarithm, thousands},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, legend, levels, numbers, paint, table},
};
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::{
        bill::saving,
        result::{Cost, Money, PairAnalysis},
    },
    report::{
        document::{Table, Value, numbers as of_numbers, words},
        sentences::{assumptions, savings},
        tables,
        words::{Name, dollars, names, percent, proportion},
    },
};
use maud::{Markup, html};

/// Cost against volume, and the bills.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let content = html! {
        @match &analysis.money {
            None => p { "No bill: no billed durations are known of both sides, as Lambda alone reports them." },
            Some(money) => {
                p { (savings(analysis, money)) " " (assumptions(money)) }
                (chart(analysis, money))
                (numbers("The bills", &bills(analysis, money)))
                @if !money.by_volume.is_empty() { (numbers("By volume", &volumes(analysis, money))) }
            }
        }
    };
    figure::section("The bill", &content)
}

/// A volume with the bills that can be drawn.
type Point = (f64, Sides<f64>);

fn usable(money: &Money) -> Vec<Point> {
    let is_drawable = |(volume, bill): &&Point| {
        has_logarithm(volume) && *volume < 1e15 && bill.iter().all(|(_, usd)| usd.abs() < 1e15)
    };
    let points = money.by_volume.iter().filter(is_drawable).copied();
    // Where the free tier covers all, there is nothing to draw.
    points.skip_while(|(_, bill)| bill.iter().all(|(_, usd)| *usd <= 0.0)).collect()
}

fn chart(analysis: &PairAnalysis, money: &Money) -> Markup {
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
    figure(label, &caption, &html! {}, [340.0; 2], |canvas| draw(canvas, &points, money, &names))
}

fn draw(canvas: &Canvas<'_>, points: &[Point], money: &Money, names: &Sides<Name>) {
    let (from, ticks) = if is_narrow(canvas.width) { (56.0, 4) } else { (72.0, 9) };
    let to = canvas.width - 12.0;
    let x = Axis::logarithmic(points.iter().map(|(volume, _)| *volume), (from, to));
    legend(canvas, names, (from, 8.0));
    let (top, bottom) = (26.0, 190.0);
    let bills = points.iter().flat_map(|(_, bill)| [bill.baseline, bill.candidate]).filter(|usd| *usd > 0.0);
    let most = bills.clone().fold(0.0, f64::max);
    // What is next to nothing beside the largest bill has no part in the question.
    let y = Axis::logarithmic(bills.filter(|usd| *usd > most / 1e6).chain((most == 0.0).then_some(1.0)), (bottom, top));
    levels(canvas, &y.labelled(5, dollars), (from, to));
    for side in Side::BOTH {
        let billed = points.iter().filter(|(_, bill)| bill[side] > 0.0);
        let line: Vec<_> = billed.map(|(volume, bill)| (x.at(*volume), y.at(bill[side]))).collect();
        canvas.path(&line, paint(side), 2.0);
        for point in line.iter().rev().step_by(points.len().div_ceil(8)) {
            canvas.mark(*point, 3.5, paint(side));
        }
    }
    let (upper, lower) = (232.0, 296.0);
    let savings: Vec<(f64, f64)> =
        points.iter().filter_map(|(volume, bill)| Some((*volume, saving(bill.baseline, bill.candidate)?))).collect();
    let share = Axis::linear(savings.iter().map(|(_, saved)| saved.clamp(-2.0, 1.0)).chain([0.0, 0.1]), (lower, upper));
    levels(canvas, &share.labelled(3, percent), (from, to));
    canvas.line((from, share.at(0.0)), (to, share.at(0.0)), Paint::Muted, 1.0);
    let name = shortened(&names.candidate.to_string(), 20);
    canvas.text(&format!("saved by {name}"), (from, upper - 12.0), Anchor::Left, Paint::Muted);
    let line: Vec<_> = savings.iter().map(|(volume, saved)| (x.at(*volume), share.at(*saved))).collect();
    canvas.path(&line, Paint::Ink, 2.0);
    if let [point] = line[..] {
        canvas.mark(point, 3.5, Paint::Ink);
    }
    columns(canvas, &x.labelled(ticks, thousands), (lower, lower + 4.0));
    canvas.text("invocations a month", (to, lower + 4.0 + LINE * 1.8), Anchor::Right, Paint::Muted);
    if x.holds(money.invocations_per_month) {
        canvas.dashed(x.at(money.invocations_per_month), (top, lower), Paint::Muted);
    }
}

fn bills(analysis: &PairAnalysis, money: &Money) -> Markup {
    let names = names(analysis);
    let row = |(side, cost): (Side, &Cost)| {
        let usd = |usd: f64| Value::number(dollars(usd));
        vec![
            Value::text(names[side].to_string()),
            usd(cost.requests_usd),
            usd(cost.compute_usd),
            usd(cost.storage_usd),
            usd(cost.total_usd),
            Value::text(&money.prices[side]),
        ]
    };
    let columns = ["requests", "compute", "storage", "all"].map(of_numbers);
    let columns = [words("side")].into_iter().chain(columns).chain([words("prices")]);
    let parts = Table::new("What a month's bill is made of.", columns, money.monthly.iter().map(row));
    html! {
        (table(&tables::bill(analysis, money)))
        (table(&parts))
    }
}

fn volumes(analysis: &PairAnalysis, money: &Money) -> Markup {
    let row = |(volume, bill): &Point| {
        let saved = saving(bill.baseline, bill.candidate).map(proportion);
        vec![
            Value::text(thousands(*volume)),
            Value::number(dollars(bill.baseline)),
            Value::number(dollars(bill.candidate)),
            Value::number_or_unknown(saved),
        ]
    };
    let [baseline, candidate] = tables::of_sides(analysis);
    let columns = [words("invocations a month"), baseline, candidate, of_numbers("saved")];
    table(&Table::new("A month's bill by volume.", columns, money.by_volume.iter().map(row)))
}
