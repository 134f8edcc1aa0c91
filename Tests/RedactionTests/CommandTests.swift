import Redaction
import Testing

@Suite("Values are found in commands, whoever wrote the program")
struct CommandTests {
    @Test("What is written into a file whose name speaks of secrets, whichever way it gets there")
    func files() throws {
        try check(
            "/root/.bash_history",
            """
            echo "«firstword»" > /root/.vault_pass
            echo '«secondword»' >/etc/ansible/.vault_pass
            printf '%s' '«thirdword»' > /etc/app/password
            printf "«fourthword»" > /run/secrets/db
            echo -n «fifthword» > /etc/burp/secret.txt
            echo "«sixthword»" | tee /etc/x/ldap.secret
            echo «seventhword» | sudo tee -a /etc/x/api_token > /dev/null
            echo "‹hello all›" > /tmp/motd
            echo ‹ok› > /tmp/password_reset_done
            echo -n "«eighthword»" | base64
            """)
        try check(
            "/usr/local/sbin/setup.sh",
            "#!/bin/sh\ncat > /root/.vault_pass <<EOF\n«heredocword»\nEOF\ncat > /etc/motd <<EOF\n‹welcome›\nEOF\n"
        )
    }

    @Test("A program that nobody knows, with a user behind -u and a password behind -p")
    func unknownPrograms() throws {
        try check(
            "/etc/cron.d/backup",
            """
            0 3 * * * root /usr/local/bin/backupdb -u ‹backup› -p «cronword» --all
            15 3 * * * root dumper --user backup -p '«quotedword»' > /dev/null
            0 4 * * * root sh -c "tool -U ‹sync› -P «innerword» | gzip"
            """)
        try check(
            "/root/.bash_history",
            """
            mybackup -u backup -p «historyword» -h ‹db1›
            journalctl -u nginx -p ‹warning›
            docker run -u root -p ‹8080:80› nginx
            podman run -u root -p ‹127.0.0.1:8443:443/tcp› web
            cp -p ‹file› /tmp
            tool -u ‹admin› -p ‹5432›
            mkdir -p ‹/srv/backup›
            """)
    }

    @Test("libvirt takes the value of a secret by option or place, and the secret's number stays")
    func libvirt() throws {
        try check(
            "/root/.bash_history",
            """
            virsh secret-set-value --base64 «dmlyc2htb3Qx» ‹2a91b6a7-0000-4000-8000-0123456789ab›
            virsh secret-set-value ‹2a91b6a7-0000-4000-8000-0123456789ac› --base64 «dmlyc2htb3Qy»
            virsh secret-set-value ‹2a91b6a7-0000-4000-8000-0123456789ae› «dmlyc2htb3Q0»
            virsh secret-set-value ‹2a91b6a7-0000-4000-8000-0123456789af› --file ‹/root/x›
            """)
    }

    @Test("The user stays whose password goes to chpasswd, or whom passwd is asked about")
    func users() throws {
        try check(
            "/root/.bash_history",
            """
            echo "‹jeanne›:«givenword»" | chpasswd
            echo '‹root›:«otherword»' | sudo chpasswd
            passwd ‹joe9›
            sudo passwd ‹user2025›
            """)
    }

    @Test("The initiator's and the target's passwords on the command line of a kernel")
    func kernel() throws {
        try check(
            "/etc/dracut.conf.d/iscsi.conf",
            "kernel_cmdline=\"netroot=iscsi:‹iuser›:«firstword»@10.0.0.5::3260::‹iqn.2020-01.example:root› rd.iscsi.password=«secondword»\"\n"
        )
        try check(
            "/etc/kernel/cmdline",
            "root=‹/dev/sda1› netroot=iscsi:u:«thirdword»:‹ru›:«fourthword»@192.0.2.1::::iqn.x ‹quiet›\n"
        )
    }

    @Test("Passwords behind other words of administrators' commands")
    func administration() throws {
        try check(
            "/root/.bash_history",
            """
            drush upwd ‹admin› «firstword»
            drush user:password ‹admin› "«secondword»"
            db2 connect to ‹records› user u using «thirdword»
            samba-tool user create ‹bob› «fourthword»
            mkpasswd -m ‹sha-512› «fifthword»
            usermod --password $(openssl passwd -1 «sixthword») ‹bob›
            pdftk ‹a.pdf› input_pw «seventhword» output ‹b.pdf›
            composer config http-basic.host ‹u› «eighthword»
            rar a -hp«ninthword» ‹a.rar›
            unrar x -p«tenthword» ‹a.rar›
            sqsh -S ‹s› -U u -P«eleventhword»
            net-snmp-create-v3-user -ro -A «twelfthword» -X «lastword» ‹u›
            fence_ipmilan -a h -l ‹adm› -p «fenceword»
            pkcs11-tool --login --pin «482193» -O
            wbinfo -a ‹bob›%«windowsword»
            etcdctl --user ‹root›:«etcdword» get ‹x›
            REDISCLI_AUTH=«redisword» redis-cli ‹ping›
            """)
        try check("/srv/put.ftp", "open ‹ftp.example›\nuser ‹lab› «ftpword»\nput ‹a.hl7›\n")
    }

    @Test("Commands within calls of code, dialogues within here documents, literals of kubectl")
    func within() throws {
        try check(
            "/srv/a.py",
            "os.system('sshpass -p «firstword» ssh ‹host›')\nsubprocess.run('mysql -p«secondword» ‹db›', shell=True)\n"
        )
        try check(
            "/srv/a.sh",
            "expect <<EOF\nspawn ssh ‹host›\nexpect \"password:\"\n‹send› \"«thirdword»\\r\"\nEOF\n"
        )
        try check(
            "/root/.bash_history",
            """
            kubectl create secret generic s --from-literal=a=«firstword» --from-literal=‹user=bob›
            kubectl create secret generic s --from-literal b=«secondword»
            echo "«thirdword»" | su - ‹bob›
            htpasswd -bnBC 10 '' «fourthword»
            sudo mysqladmin -u root password «fifthword»
            winexe -U ‹d/u›%«sixthword» //host cmd
            """)
    }
}
