//! Everything that can be tested without a deployed stack: the real binaries of both
//! architectures, as `make build` leaves them, and the real command line.

mod browser;
mod campaign;
mod cli;
mod cloudwatch;
mod contract;
mod dependencies;
mod emulator;
mod envelope;
mod events;
mod fabricated;
mod fuzz;
mod gate;
mod golden;
mod handler;
mod insights;
mod limits;
mod load;
mod logs;
mod metrics;
mod report;
mod requests;
mod rooms;
mod scripted;
mod tls;
