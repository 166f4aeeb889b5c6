//! Set-up, build, load, lab, demo, tests and tidiness of the workspace.
