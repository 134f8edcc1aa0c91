import Basics
import Testing

@testable import ConfigConnectors

/// Texts of a machine in, items out.
@Suite struct FactParserTests {
    private func document(
        _ family: FactFamily, _ source: String, _ body: (inout FactItems) -> Void
    ) throws -> FactDocument {
        var document = FactDocument(family)
        try document.source(source) { (items) throws(Failure) in
            body(&items)
            return true
        }
        return document
    }

    @Test func packagesOfDpkgKeepWhatIsInstalledAndWhatLeftItsConfiguration() throws {
        let status = """
            Package: bash
            Status: install ok installed
            Architecture: amd64
            Version: 5.2-2
            Description: a shell
             with a long text
            Conffiles:
             /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d
             /etc/old 0123456789abcdef0123456789abcdef obsolete

            Package: gone
            Status: deinstall ok config-files
            Architecture: all
            Version: 1

            Package: never
            Status: purge ok not-installed
            Architecture: all
            """
        let stanzas = Stanzas.parse(status)
        let document = try document(.packages, "dpkg") {
            PackageFacts.packages(
                stanzas, extendedStates: "Package: bash\nArchitecture: amd64\nAuto-Installed: 1\n",
                &$0)
        }
        #expect(document.items.keys.sorted() == ["dpkg/bash:amd64", "dpkg/gone:all"])
        #expect(document.items["dpkg/bash:amd64"]?["version"]?.string == "5.2-2")
        #expect(document.items["dpkg/bash:amd64"]?["automatic"]?.bool == true)
        #expect(document.items["dpkg/gone:all"]?["status"]?.string == "config-files")
        #expect(
            PackageFacts.conffiles(stanzas) == [
                .init(
                    path: "/etc/bash.bashrc", package: "bash",
                    md5: "89269e1298235f1b12b4c16e4065ad0d")
            ])
    }

    /// RFC 1321, appendix A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func md5IsThatOfTheRFC(text: String, digest: String) {
        #expect(Hex.encode(MD5.hash(Array(text.utf8))) == digest)
    }

    @Test func originsAreThoseOfTheInstalledVersion() {
        let policy = """
            bash:
              Installed: 5.2-2
              Candidate: 5.2-3
              Version table:
                 5.2-3 500
                    500 http://security.example bookworm-security/main amd64 Packages
             *** 5.2-2 500
                    500 http://deb.example bookworm/main amd64 Packages
                    100 /var/lib/dpkg/status
            local:
              Installed: 1
              Candidate: 1
              Version table:
             *** 1 100
                    100 /var/lib/dpkg/status
            """
        let origins = PackageFacts.origins(policy: policy)
        #expect(origins.map(\.name) == ["bash", "local"])
        #expect(origins[0].origins == ["http://deb.example bookworm/main amd64"])
        #expect(origins[1].origins.isEmpty)
    }

    @Test func bothFormsOfAptSourcesGiveTheSameItems() throws {
        let lines = try document(.packages, "apt-source") {
            AptSources.add(
                lines: "# no\ndeb [signed-by=/k.gpg] http://a.example trixie main contrib # why\n",
                &$0)
        }
        let stanzas = try document(.packages, "apt-source") {
            AptSources.add(
                stanzas: """
                    Types: deb
                    URIs: http://a.example
                    Suites: trixie
                    Components: contrib main
                    Signed-By: /k.gpg

                    Types: deb
                    URIs: http://off.example
                    Suites: trixie
                    Components: main
                    Enabled: no
                    """, &$0)
        }
        #expect(lines == stanzas)
        #expect(lines.items.count == 1)
    }

    @Test func crontabsHaveAssignmentsAndJobsOfBothForms() {
        let system = CrontabFacts.table(
            "SHELL=/bin/sh\nPATH = \"/usr/bin:/bin\"\n# x\n17 * * * * root  cd / && run A=1\n@reboot root x y\n",
            hasUser: true)
        #expect(system["environment"]?["PATH"]?.string == "/usr/bin:/bin")
        let jobs = system["jobs"]?.array ?? []
        #expect(jobs.count == 2)
        #expect(jobs[0]["schedule"]?.string == "17 * * * *")
        #expect(jobs[0]["user"]?.string == "root")
        #expect(jobs[0]["command"]?.string == "cd / && run A=1")
        #expect(jobs[1]["schedule"]?.string == "@reboot")
        let own = CrontabFacts.table("0 1 * * 1-5 backup --x\n", hasUser: false)
        #expect(own["jobs"]?.array?.first?["command"]?.string == "backup --x")
    }

    @Test func mountsLeaveTheKernelsOwnAndNumbersOut() throws {
        let text = """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
            23 22 0:21 / /proc rw - proc proc rw
            30 22 8:2 /sub /srv/a\\040b ro,relatime - xfs /dev/sdb rw
            31 22 0:40 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
            """
        let document = try document(.mounts, "current") { MountFacts.mounts(text, &$0) }
        #expect(document.items.keys.sorted() == ["current//", "current//srv/a b"])
        #expect(document.items["current//srv/a b"]?["subtree"]?.string == "/sub")
        #expect(
            document.items["current//"]?["options"]
                == .array(["errors=remount-ro", "relatime", "rw"]))
    }

    @Test func fstabHasPlacesAndSwap() throws {
        let text = "UUID=1 / ext4 defaults,noatime 0 1\n/dev/sdb none swap sw 0 0\n"
        let document = try document(.mounts, "fstab") { MountFacts.fstab(text, &$0) }
        #expect(document.items.keys.sorted() == ["fstab//", "fstab/swap /dev/sdb"])
    }

    @Test func listeningSocketsAreThoseInTheirState() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 3000 1
               1: 0100007F:9C40 0100007F:1538 01 00000000:00000000 00:00000000 00000000   106        0 3001 1
            """
        #expect(
            SocketFacts.sockets(text, isUDP: false) == [
                .init(address: "127.0.0.1", port: 5432, inode: 3000)
            ])
        let six = """
              sl  local_address
               0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 77 1
            """
        #expect(SocketFacts.sockets(six, isUDP: false).map(\.address) == ["[::1]"])
    }

    @Test func routesAreAddressesWithPrefixes() throws {
        let text = """
            Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
            eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
            """
        let document = try document(.network, "route") { NetworkFacts.routes(text, &$0) }
        #expect(
            document.items.keys.sorted() == [
                "route/192.168.2.0/24 eth0", "route/default eth0 via 192.168.2.1",
            ])
    }

    @Test func theCommandLineKeepsRepeatedArgumentsInOrder() throws {
        let document = try document(.kernel, "command-line") {
            KernelFacts.commandLine("ro console=tty0 console=ttyS0 x=\"a b\" quiet\n", &$0)
        }
        #expect(document.items["command-line/console"] == .array(["tty0", "ttyS0"]))
        #expect(document.items["command-line/x"] == .array(["a b"]))
        #expect(document.items["command-line/quiet"] == .array([""]))
    }

    @Test(arguments: [
        ("", "none", nil), ("x", "shadow", nil), ("!", "locked", nil), ("!*", "locked", nil),
        ("$y$j9T$a$b", "set", "yescrypt"), ("!$6$a$b", "set-and-locked", "sha512"),
        ("abJnggxhB/yWI", "set", "des"), ("$9$a$b", "set", "unknown"),
    ])
    func passwordFieldsTellTheirStateAlone(field: String, state: String, algorithm: String?) {
        let password = AccountFacts.password(field, "")
        #expect(password.state == state)
        #expect(password.algorithm == algorithm)
        #expect(password.reference == nil)
    }

    @Test func certificatesHaveSubjectAndTimes() {
        let text = """
            subject=CN=a b,O=H\u{f4}pital
            issuer=CN=CA
            serial=2FD7
            notBefore=Nov 27 01:54:28 2026 GMT
            notAfter=Dec  7 01:54:28 2026 GMT
            X509v3 Subject Alternative Name:\u{20}
                DNS:b.example, DNS:a.example
            """
        let fields = JSON.object(CertificateFacts.fields(text))
        #expect(fields["subject"]?.string == "CN=a b,O=H\u{f4}pital")
        #expect(fields["not-after"]?.string == "2026-12-07T01:54:28Z")
        #expect(fields["names"] == .array(["DNS:a.example", "DNS:b.example"]))
    }

    @Test func remotesOfGitHaveTheirAddresses() {
        let config = """
            [core]
            \tbare = false
            [remote "origin"]
            \turl = https://git.example/infra.git
            \tfetch = +refs/heads/*:refs/remotes/origin/*
            """
        #expect(
            RepositoryFacts.remotes(config) == ["origin": ["https://git.example/infra.git"]])
        #expect(RepositoryFacts.kinds(["site.yml", "main.tf"]) == ["ansible", "terraform"])
        #expect(RepositoryFacts.kinds(["README", "src"]).isEmpty)
    }

    @Test func parametersThatChangeByThemselvesAreNoFacts() {
        #expect(SysctlFacts.isFact("vm.swappiness"))
        #expect(SysctlFacts.isFact("net.ipv4.ip_forward"))
        for key in ["kernel.random.uuid", "fs.file-nr", "net.core.netdev_rss_key"] {
            #expect(!SysctlFacts.isFact(key))
        }
        #expect(
            SysctlFacts.assignments("-net/ipv4/ip_forward = 1 # no\n; x\n").map(\.key)
                == ["net.ipv4.ip_forward"])
    }

    @Test func containersOfDockerAreWhatTheyWereMadeFrom() throws {
        let (name, facts) = try ContainerFacts.docker(
            config:
                #"{"Name":"/web","State":{"Pid":12},"Config":{"Image":"nginx:1","Env":["A=b"]}}"#,
            host: #"{"Binds":["/srv:/srv"],"Memory":1.5}"#)
        #expect(name == "web")
        #expect(facts["Image"]?.string == "nginx:1")
        #expect(facts["State"] == nil)
        #expect(facts["Binds"] == .array(["/srv:/srv"]))
    }

    @Test func containersOfPodmanAreWhatTheyWereMadeFrom() throws {
        let container = try JSON(
            parsingForeign: Array(
                #"{"id":"1e33","names":["web"],"image":"9f","metadata":"{\"image-name\":\"docker.io/nginx:1\"}","created":"x"}"#
                    .utf8))
        let (name, made) = try ContainerFacts.podman(container, run: nil)
        #expect(name == "web")
        #expect(made["image-name"]?.string == "docker.io/nginx:1")
        #expect(made["created"] == nil)
        let (_, run) = try ContainerFacts.podman(
            container,
            run:
                #"{"process":{"args":["/bin/true"],"env":["LANG=C"],"capabilities":{"bounding":["CAP_CHOWN"]}},"mounts":[{"destination":"/data","source":"/srv"}],"annotations":{"io.kubernetes.cri-o.Created":"2026"}}"#
        )
        #expect(run["args"] == .array(["/bin/true"]))
        #expect(run["mounts"]?.array?.count == 1)
        #expect(run["annotations"] == nil)
    }
}
