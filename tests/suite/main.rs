//! The real binaries of both architectures, as `make build` leaves them, and the real command line.
//!
//! One program holds all of it, because linking one takes as long as hundreds of tests. What needs the architecture
//! that this machine emulates is in modules `foreign`, what needs a deployed stack in `stack`.

mod action;
mod architectures;
mod browser;
mod campaign;
mod census;
mod choice;
mod cli;
mod cloudwatch;
mod cold_share;
mod contract;
mod dependencies;
mod deployment;
mod documents;
mod emulator;
mod envelope;
mod events;
mod export;
mod fabricated;
mod fuzz;
mod gate;
mod golden;
mod handler;
mod import;
mod insights;
mod inspection;
mod layers;
mod limits;
mod load;
mod logs;
mod metrics;
mod portability;
mod prices;
mod program;
mod release;
mod report;
mod requests;
mod sample;
mod scripted;
mod service_model;
mod stack;
mod tls;
mod trial;
mod usage;
