/// The ways in which logs write the time of a line; the raw values are the words of a plan.
public enum TextFormat: String, Sendable, CaseIterable {
    /// ISO 8601 and RFC 3339 with their relatives at the start of a line: Java (log4j, logback),
    /// PostgreSQL, MariaDB, the container runtimes of Kubernetes (CRI), Python.
    case iso = "iso-8601"
    /// `<34>1 2026-10-11T22:14:15.003Z host …`
    case rfc5424 = "rfc-5424"
    /// `Oct 11 22:14:15 host …`, with or without a priority in front; a year may follow the day.
    case rfc3164 = "rfc-3164"
    /// `… [10/Oct/2026:13:55:36 +0200] …` of nginx, Apache and their relatives.
    case access
    /// `2026/10/10 13:55:36 [error] …`
    case nginxError = "nginx-error"
    /// `[Fri Nov 27 10:00:00.123456 2026] …`
    case apacheError = "apache-error"
    /// `261127 10:00:00 …` of MySQL and MariaDB before 10.1.
    case mysql
    /// Seconds or milliseconds since 1970 at the start (Squid), or of the audit daemon.
    case epoch
    /// A member "time", "timestamp", "@timestamp", "ts" or "t" of an object on one line.
    case json
    /// `27-Nov-2026 10:00:00.123` of Tomcat, `27 Nov 2026 …` of Redis and log4j, `27.11.2026 …`; `27/11/2026 …` where a plan
    /// names this format, since others write the month first.
    case dayFirst = "day-first"
    /// `Nov 27, 2026 10:00:00 AM` of Java; `11/27/2026 …` where a plan names this format.
    case monthFirst = "month-first"
    /// `I1127 10:00:00.123456` of Kubernetes and Orthanc, without a year.
    case glog
    /// `20261127T100000Z`, `20261127 10:00:00`, `20261127100000`, and `PID:20261127:100000.123` of Zabbix.
    case compact
    /// `time="…"` or `ts=…` among other pairs.
    case logfmt
}
