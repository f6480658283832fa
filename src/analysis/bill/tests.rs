use super::*;
use crate::{campaign::prices::PriceTable, protocol::Architecture};
use proptest::prelude::*;

fn price(architecture: Architecture) -> Price {
    PriceTable::built_in().price("us-east-1", architecture).unwrap()
}

fn x86_64() -> Price {
    price(Architecture::X86_64)
}

fn arm64() -> Price {
    price(Architecture::Arm64)
}

fn usage(invocations_per_month: f64, billed_ms: f64, memory_mb: u32, ephemeral_mb: u32) -> Usage {
    Usage { invocations_per_month, billed_ms, memory_mb, ephemeral_mb }
}

fn assert_near(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
}

/// The three examples of the page on pricing, to the cent that it rounds to.
#[test]
fn the_price_lists_own_examples_come_out() {
    let mobile_backend = Bill::new(&x86_64(), &usage(3e6, 120.0, 1536, 512), FreeTier::LAMBDA);
    assert_near(mobile_backend.compute_usd, 2.33, 0.005);
    assert_near(mobile_backend.requests_usd, 0.40, 1e-9);
    assert_near(mobile_backend.total(), 2.73, 0.005);

    let telemetry = Bill::new(&x86_64(), &usage(7.44e6, 2000.0, 1024, 512), FreeTier::NONE);
    assert_near(telemetry.requests_usd, 1.488, 1e-9);
    assert_near(telemetry.total(), 249.49, 0.005);

    let support_tickets = Bill::new(&x86_64(), &usage(6e6, 280.0, 4096, 2048), FreeTier::LAMBDA);
    assert_near(support_tickets.compute_usd, 105.33, 0.005);
    assert_near(support_tickets.requests_usd, 1.0, 1e-9);
    assert_near(support_tickets.storage_usd, 0.08, 0.005);
    assert_near(support_tickets.total(), 106.41, 0.005);
}

#[test]
fn tiers_are_passed_one_after_the_other() {
    // 20 billion GB-s: 20 billion invocations of a second at 1 GB.
    let heavy = usage(20e9, 1000.0, 1024, 512);
    let of_x86_64 = 6e9 * 0.000_016_666_7 + 9e9 * 0.000_015 + 5e9 * 0.000_013_333_4;
    assert_near(Bill::new(&x86_64(), &heavy, FreeTier::NONE).compute_usd, of_x86_64, 1e-6);
    let of_arm64 = 7.5e9 * 0.000_013_333_4 + 11.25e9 * 0.000_012_000_1 + 1.25e9 * 0.000_010_666_7;
    assert_near(Bill::new(&arm64(), &heavy, FreeTier::NONE).compute_usd, of_arm64, 1e-6);
}

#[test]
fn the_request_swamps_what_short_calls_save() {
    let saving = |usage| {
        let bill = |price: &Price| Bill::new(price, &usage, FreeTier::NONE);
        saving(bill(&x86_64()).total(), bill(&arm64()).total()).unwrap()
    };
    // 1 ms at 128 MB is 0.000125 GB-s: $0.00000000208 or $0.00000000167 beside a request of $0.0000002.
    assert_near(saving(usage(1e6, 1.0, 128, 512)), 0.002_06, 0.000_01);
    assert_near(saving(usage(1e6, 10_000.0, 10_240, 512)), 0.2, 0.000_1);
}

#[test]
fn a_month_costs_by_its_volume() {
    let usage = usage(50e6, 100.0, 1024, 512);
    let bill = Bill::new(&arm64(), &usage, FreeTier::NONE);
    assert_near(bill.total(), 50.0 * (0.20 + 1.333_34), 1e-6);
}

#[test]
fn a_candidate_may_be_a_quarter_slower_before_it_costs_as_much() {
    let slowdown = |usage: &Usage, free| break_even_slowdown(&x86_64(), &arm64(), usage, free).unwrap();
    assert_near(slowdown(&usage(1e6, 100.0, 1769, 512), FreeTier::NONE), 0.000_016_666_7 / 0.000_013_333_4, 1e-12);
    // With storage, which costs the same on both, less: (16.6667 + 0.0309 × 9.5) / (13.3334 + 0.0309 × 9.5) at 1 GB.
    assert_near(slowdown(&usage(1e6, 100.0, 1024, 10_240), FreeTier::NONE), 16.960_25 / 13.626_95, 1e-12);
    // A free tier that is not used up lets the candidate use up the rest: here 400 000 GB-s of 100 000.
    assert_near(slowdown(&usage(1e6, 100.0, 1024, 512), FreeTier::LAMBDA), 4.0, 1e-12);
}

#[test]
fn without_a_break_even_there_is_no_ratio() {
    let ratio = |candidate: &Price, usage: &Usage| break_even_slowdown(&x86_64(), candidate, usage, FreeTier::NONE);
    let dear = Price { request_usd: 1.0, ..arm64() };
    assert_eq!(ratio(&dear, &usage(1e6, 100.0, 1024, 512)), None);
    let free = Price { tiers: vec![Tier { up_to_gb_seconds: None, gb_second_usd: 0.0 }], ..arm64() };
    assert_eq!(ratio(&free, &usage(1e6, 100.0, 1024, 512)), None);
    assert_eq!(ratio(&arm64(), &usage(0.0, 100.0, 1024, 512)), None);
    assert_eq!(ratio(&arm64(), &usage(1e6, 0.0, 1024, 512)), None);
}

fn usages() -> impl Strategy<Value = Usage> {
    (0.0..12.0, 0.0..6.0, 128..10_241_u32, 512..10_241_u32).prop_map(|(invocations, ms, memory, ephemeral)| {
        usage(f64::powf(10.0, invocations), f64::powf(10.0, ms), memory, ephemeral)
    })
}

fn frees() -> impl Strategy<Value = FreeTier> {
    prop_oneof![Just(FreeTier::NONE), Just(FreeTier::LAMBDA)]
}

fn prices() -> impl Strategy<Value = Price> {
    let regions: Vec<String> = PriceTable::built_in().regions.into_keys().collect();
    (prop::sample::select(regions), any::<bool>()).prop_map(|(region, is_arm)| {
        let architecture = if is_arm { Architecture::Arm64 } else { Architecture::X86_64 };
        PriceTable::built_in().price(&region, architecture).unwrap()
    })
}

proptest! {
    #[test]
    fn more_use_never_costs_less(price in prices(), usage in usages(), free in frees(), factor in 1.0..10.0) {
        let bill = |usage: Usage| Bill::new(&price, &usage, free).total();
        let before = bill(usage);
        let more = [
            Usage { billed_ms: usage.billed_ms * factor, ..usage },
            Usage { invocations_per_month: usage.invocations_per_month * factor, ..usage },
            Usage { memory_mb: usage.memory_mb + 1, ..usage },
            Usage { ephemeral_mb: usage.ephemeral_mb + 1, ..usage },
        ];
        for more in more {
            prop_assert!(bill(more) >= before, "{:?}", more);
        }
    }

    #[test]
    fn a_little_more_use_costs_a_little_more(price in prices(), border in 0_usize..2, offset in -10.0..10.0) {
        // Around a border of the tiers, a step of ten GB-seconds costs no more than ten of the first tier.
        let gb_seconds = price.tiers[border].up_to_gb_seconds.unwrap() + offset;
        let bill = |gb_seconds: f64| compute(&price.tiers, gb_seconds);
        let step = bill(gb_seconds + 10.0) - bill(gb_seconds);
        prop_assert!((0.0..=10.001 * price.tiers[0].gb_second_usd).contains(&step), "{}", step);
    }

    #[test]
    fn at_break_even_both_bills_are_equal(
        baseline in prices(),
        candidate in prices(),
        usage in usages(),
        free in frees(),
    ) {
        if let Some(slowdown) = break_even_slowdown(&baseline, &candidate, &usage, free) {
            let slower = Usage { billed_ms: usage.billed_ms * slowdown, ..usage };
            let bills = [Bill::new(&baseline, &usage, free).total(), Bill::new(&candidate, &slower, free).total()];
            prop_assert!((bills[0] - bills[1]).abs() <= 1e-9 * (1.0 + bills[0]), "{:?}", bills);
        } else {
            prop_assert!(candidate.request_usd > baseline.request_usd);
        }
    }

    #[test]
    fn one_call_of_the_first_tier_costs_its_part_of_a_small_bill(
        price in prices(),
        ms in 1.0..900_000.0,
        memory in 128..10_241_u32,
        ephemeral in 512..10_241_u32,
    ) {
        let usage = usage(100.0, ms, memory, ephemeral);
        let bill = Bill::new(&price, &usage, FreeTier::NONE).total();
        let calls = 100.0 * price.of_call(ms, memory, ephemeral);
        prop_assert!((bill - calls).abs() <= 1e-12 * (1.0 + bill));
    }
}
