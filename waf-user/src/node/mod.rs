//! The data-plane daemon: snapshot, workers, feedback, control.sock, admin, drain.
