// Pure formats of logs: journal half in files `Journal…`, text half in `Text…` and `OpenTelemetry…`.
