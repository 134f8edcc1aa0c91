"""The second half of the planted tree: systems, clusters, clouds and the software of hospitals."""
import base64
import json
import string

from configs_corpus import CERT, FILES, JWT, SHA, add, b64, hexes, one_line, pem, word


def encoded(text):
    return base64.b64encode(text.encode()).decode()


# ---- YAML
add("etc/app/application.yml", "spring:\n  datasource:\n    url: ‹jdbc:postgresql://db/dpi›\n    username: ‹app›\n    password: «hunter2-spring» # ‹rotate›\n  redis: {host: ‹redis›, password: «hunter2-flow», port: ‹6379›}\n"
    "  mail:\n    password: '«it''s-" + word("y1", 8) + "»'\n    passphrase: \"«esc\\\"aped-" + word("y2", 8) + "»\"\n    secret: >-\n      «folded-" + word("y3", 8) + "»\n      «second-" + word("y4", 8) + "»\n"
    "jwt:\n  secret: &anchor «" + word("y5", 40) + "»\n  again: *anchor\n  ttl: ‹3600›\n  token: !!str «hunter2-tagged»\n  reference: \"‹{{ vault_jwt }}›\"\nplain_secret: ‹${SECRET}›\nspaced_password:   «two words-" + word("y6", 6)
    + "»\nplain:\n  password:\n    value: «hunter2-carried»\n  \"api-key\" : \"«" + word("y7") + "»\"\nusers:\n  - name: ‹jean›\n    password: «hunter2-list»\n  - {name: ‹paul›, password: \"«hunter2-list-flow»\"}\npasswords: [«hunter2-seq1», «hunter2-seq2»]\n"
    "password_policy: ‹strict›\nsecret_name: ‹foo-tls›\npin: ‹null›\nempty_password: \"\"\nnext: ‹readable›\n# password: «hunter2-yaml-comment»\n")
add("etc/kubernetes/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: ‹dpi-db›\n  namespace: ‹prod›\ntype: ‹Opaque›\ndata:\n  username: «" + encoded("administrateur") + "»\n  password: «" + encoded("hunter2-k8s") + "»\n"
    "  config.yaml: «" + encoded("db:\n  password: hunter2-k8s-nested\n") + "»\nstringData:\n  token: «hunter2-k8s-string»\n  app.properties: |\n    «a=b-" + word("k8sprops", 8) + "»\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ‹cm›\ndata:\n  host: ‹db.example›\n  app.properties: |\n    db.host=‹db›\n    db.password=«hunter2-configmap»\n  settings.json: |\n    {\"password\": \"«hunter2-cm-json»\", \"debug\": ‹true›}\n")
add("etc/kubernetes/secret2.yaml", "data:\n  db-password: \"«" + encoded("hunter2-kind-last") + "»\"\nkind: Secret\napiVersion: v1\nmetadata: {name: ‹x›}\n")
add("etc/kubernetes/list.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"kind": "Secret", "metadata": {"name": "‹j›"}, "data": {
    "k": "«" + encoded("hunter2-k8s-json") + "»", ".dockerconfigjson": "«" + encoded('{"auths":{"r":{"auth":"' + encoded("u:hunter2-docker-in-k8s") + '"}}}') + "»"}}]}, ensure_ascii=False))
add("etc/kubernetes/deploy.yaml", "kind: Deployment\nspec:\n  template:\n    spec:\n      imagePullSecrets:\n        - name: ‹regcred›\n      containers:\n        - name: ‹app›\n          image: ‹registry.example/app@sha256:" + hexes("img") + "›\n          env:\n"
    "            - name: DB_PASSWORD\n              value: \"«hunter2-deploy-env»\"\n            - name: API_TOKEN\n              valueFrom:\n                secretKeyRef:\n                  name: ‹api-secret›\n                  key: ‹token›\n            - {name: MAIL_PASSWORD, value: «hunter2-deploy-flow»}\n"
    "          args: [\"--db-password=«hunter2-args»\", \"--verbose\"]\n      volumes:\n        - name: tls\n          secret:\n            secretName: ‹portal-tls›\n")
add("root/.kube/config", "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: ‹" + encoded(CERT.replace("‹", "").replace("›", "")) + "›\n    server: ‹https://k8s.example:6443›\n  name: prod\nusers:\n- name: ‹admin›\n  user:\n    client-certificate-data: ‹"
    + encoded(CERT.replace("‹", "").replace("›", "")) + "›\n    client-key-data: «" + encoded(pem("RSA PRIVATE KEY", "kube").replace("«", "").replace("»", "")) + "»\n- name: ci\n  user:\n    token: «" + JWT + "»\n- name: basic\n  user:\n    username: ‹u›\n    password: «hunter2-kube»\n")
add("srv/compose/docker-compose.yml", "services:\n  db:\n    image: ‹postgres:16›\n    environment:\n      - POSTGRES_PASSWORD=«hunter2-compose»\n      - POSTGRES_USER=‹app›\n  mysql:\n    environment:\n      MYSQL_ROOT_PASSWORD: \"«hunter2-compose2»\"\n    command: [\"redis-server\", \"--requirepass\", \"«hunter2-compose-cmd»\"]\n    secrets:\n      - ‹db_password›\nsecrets:\n  db_password:\n    file: ‹./db_password.txt›\n")
add("root/.docker/config.json", '{\n\t"auths": {\n\t\t"‹https://index.docker.io/v1/›": {\n\t\t\t"auth": "«' + encoded("jean:hunter2-docker") + '»"\n\t\t},\n\t\t"r.example": {"identitytoken": "«' + word("idt", 40) + '»"}\n\t},\n\t"credsStore": "‹secretservice›"\n}\n')
add("srv/ansible/group_vars/all.yml", "ansible_user: ‹deploy›\nansible_become_pass: «hunter2-become»\nansible_password: \"{{ ‹vault_pass› }}\"\ndb_password: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          «" + hexes("av1", 80) + "»\n          «" + hexes("av2", 80) + "»\nntp_server: ‹ntp.example›\nsmtp_password: \"{{ x | default('«hunter2-jinja»') }}\"\n")
add("srv/ansible/vault.yml", "$ANSIBLE_VAULT;1.2;AES256;prod\n«" + hexes("av3", 80) + "»\n«" + hexes("av4", 80) + "»\n")
add("srv/ansible/hosts", "[db]\n‹db1.example› ansible_host=‹10.0.0.1› ansible_ssh_pass=«hunter2-inventory» ansible_become_password='«hunter2 inv2»'\n[all:vars]\nansible_ssh_private_key_file=‹~/.ssh/id_ed25519›\n")
add("srv/sops/secrets.enc.yaml", "db:\n  password: «ENC[AES256_GCM,data:" + b64("sops", 12) + ",iv:" + b64("sopsiv", 32) + ",tag:" + b64("sopst", 16) + ",type:str]»\n  host: ‹db.example›\n")
# ---- Terraform
add("srv/tf/terraform.tfvars", "region = \"‹fr-par›\"\ndb_password = \"«hunter2-tfvars»\"\npasswords = {\n  dpi = \"«hunter2-tfmap»\"\n}\n")
add("srv/tf/main.tf", 'variable "db_password" {\n  type = ‹string›\n  default = "«hunter2-tfdefault»"\n}\nvariable "region" {\n  default = "‹fr-par›"\n}\nresource "aws_db_instance" "x" {\n  password = "«hunter2-tfmain»"\n  username = "‹admin›"\n  master_password = ‹var.db_password›\n  user_data = <<-EOF\n    mysql -u root -p«hunter2-tfheredoc» dpi\n  EOF\n}\n')
add("srv/tf/terraform.tfstate", json.dumps({"version": 4, "outputs": {"db": {"value": "«hunter2-tfoutput»", "type": "‹string›", "sensitive": True}, "url": {"value": "‹https://x.example›", "type": "string"}},
    "resources": [{"type": "‹random_password›", "instances": [{"attributes": {"bcrypt_hash": "«$2a$10$" + word("tfb", 53) + "»", "id": "‹none›", "length": 16, "result": "«" + word("tfresult", 16) + "»", "password": "«hunter2-tfstate»", "port": 5432, "pin": 918273}, "private": "«" + encoded('{"schema_version":"1","secret":"hunter2-tfpriv"}') + "»"}]}]}, indent=2, ensure_ascii=False).replace("918273", "«918273»"))
# ---- XML
add("etc/tomcat/tomcat-users.xml", "<?xml version='1.0'?>\n<tomcat-users>\n  <user username=\"‹admin›\" password=\"«hunter2-tomcat»\" roles=\"‹manager-gui›\"/>\n  <!-- <user username=\"tomcat\" password=\"«hunter2-tomcat-comment»\" roles=\"x\"/> -->\n  <user\n    username='‹b›'\n    password='«h&amp;nter2-" + word("tcx", 6) + "»'\n  />\n</tomcat-users>\n")
add("etc/tomcat/server.xml", "<Server port=\"‹8005›\" shutdown=\"‹SHUTDOWN›\">\n<Connector port=\"‹8443›\" keystoreFile=\"‹conf/keystore.jks›\" keystorePass=\"«hunter2-keystore»\" truststorePass='«hunter2-trust»'/>\n<Realm connectionURL=\"‹ldap://ldap.example›\" connectionName=\"‹cn=x›\" connectionPassword=\"«hunter2-realm»\"/>\n<Resource url=\"jdbc:mysql://h/d?user=u&amp;password=«hunter2-jdbcxml»\" username=\"‹u›\"/></Server>\n")
add("etc/wildfly/standalone.xml", "<server><vault><vault-option name=\"‹KEYSTORE_URL›\" value=\"‹vault/vault.keystore›\"/><vault-option name=\"KEYSTORE_PASSWORD\" value=\"«MASK-" + word("mask", 22) + "»\"/></vault>\n<datasource><security><user-name>‹dcm4chee›</user-name><password>«hunter2-wildfly»</password></security></datasource>\n"
    "<credential-reference clear-text=\"«hunter2-cleartext»\"/>\n<property name=\"java.naming.security.credentials\">«hunter2-naming»</property><secret value=\"«" + encoded("hunter2-b64-secret") + "»\"/></server>\n")
add("etc/app/web.config", "<configuration><connectionStrings><add name=\"‹Main›\" connectionString=\"Server=‹sql1›;Database=‹dpi›;User Id=‹app›;Password=«hunter2-mssql»;Encrypt=‹true›\"/></connectionStrings>\n<appSettings><add key=\"SmtpPassword\" value=\"«hunter2-appsettings»\"/><add key=\"‹Theme›\" value=\"‹blue›\"/></appSettings>\n<machineKey validationKey=\"«" + hexes("vk", 128).upper() + "»\" decryptionKey=\"«" + hexes("dk", 64).upper() + "»\"/></configuration>\n")
add("etc/app/info.plist", "<?xml version=\"1.0\"?><plist><dict><key>Password</key><string>«hunter2-plist»</string><key>Host</key><string>‹h.example›</string></dict></plist>\n")
add("etc/hadoop/core-site.xml", "<configuration><property>\n<name>fs.s3a.secret.key</name>\n<value>«" + b64("s3a", 30) + "»</value>\n</property><property><name>‹fs.defaultFS›</name><value>‹hdfs://nn:8020›</value></property></configuration>\n")
add("etc/app/cdata.xml", "<cfg xmlns:x=\"urn:x\"><x:password><![CDATA[«hunter2<&cdata»]]></x:password><passwordPolicy>‹strict›</passwordPolicy><tokenTtl>‹3600›</tokenTtl>\n<password>\n   «hunter2-lines»\n</password><data>&lt;db&gt;&lt;password&gt;«hunter2-escaped»&lt;/password&gt;&lt;host&gt;‹db›&lt;/host&gt;&lt;/db&gt;</data><password encrypted=\"‹false›\"/></cfg>\n")
add("opt/mirth/channels.xml", "<channel version=\"‹4.4.0›\"><name>‹ADT vers DPI›</name><sourceConnector><properties class=\"com.mirth.connect.connectors.jdbc.DatabaseReceiverProperties\"><url>‹jdbc:oracle:thin:@db:1521:DPI›</url><username>‹mirth›</username><password>«hunter2-mirth»</password><keyFile>‹/opt/k›</keyFile><passPhrase>«hunter2-mirth-pp»</passPhrase>"
    "<script>var dbConn = DatabaseConnectionFactory.createDatabaseConnection(&apos;oracle.jdbc.OracleDriver&apos;,&apos;‹jdbc:oracle:thin:@db›&apos;,&apos;app&apos;,&apos;«hunter2-mirth-js»&apos;);\nvar password = &quot;«hunter2-mirth-var»&quot;;</script></properties></sourceConnector></channel>\n")
add("opt/mirth/mirth.properties", "keystore.path = ‹${dir.appdata}/keystore.jks›\nkeystore.storepass = «" + word("msp", 12) + "»\nkeystore.keypass = «" + word("mkp", 12) + "»\ndatabase.username = ‹mirth›\ndatabase.password = «hunter2-mirthdb»\npassword.minlength = ‹0›\n")
# ---- JSON
add("etc/orthanc/orthanc.json", '{\n  // ‹comment›\n  "Name" : "‹PACS›",\n  "RegisteredUsers" : {\n    "alice" : "«hunter2-orthanc»"\n  },\n  "OrthancPeers" : { "peer" : [ "‹http://peer:8042/›", "bob", "«hunter2-peer»" ] },\n  "PostgreSQL" : { "Password" : "«hunter2-orthanc-pg»", "Port" : ‹5432› },\n  "HttpPort" : ‹8042›\n}\n')
add("etc/orthanc/strict.json", '{"RegisteredUsers": {"alice": "«hunter2-orthanc2»", "bob": "«hunter2-orthanc3»"}, "DicomModalities": {"‹sample›": ["‹AET›", "‹10.0.0.2›", 104]}, "DicomWeb": {"Servers": {"x": ["http://‹h›/dw/", "u", "«hunter2-dicomweb»"]}}}')
add("etc/keycloak/realm.json", json.dumps({"realm": "‹hopital›", "accessTokenLifespan": 300, "passwordPolicy": "‹length(12) and digits(1)›", "smtpServer": {"host": "‹smtp.example›", "password": "«hunter2-kcsmtp»", "auth": "true"},
    "clients": [{"clientId": "‹dpi›", "secret": "«" + word("kcsecret", 32) + "»", "attributes": {"client.secret.creation.time": "1700000000", "jwt.credential.certificate": "MIIC" + b64("kccert", 60)}, "redirectUris": ["‹https://dpi.example/*›"]}],
    "users": [{"username": "‹jean›", "credentials": [{"type": "password", "secretData": "{\"value\":\"«" + b64("kcval", 32) + "»\",\"salt\":\"«" + b64("kcsalt", 16) + "»\",\"additionalParameters\":{}}", "credentialData": "{\"hashIterations\":27500,\"algorithm\":\"‹pbkdf2-sha256›\"}"}]}],
    "components": {"org.keycloak.keys.KeyProvider": [{"providerId": "rsa-generated", "config": {"privateKey": ["«MIIE" + b64("kcpk", 120) + "»"], "certificate": ["‹MIIC" + b64("kcc2", 60) + "›"], "priority": ["100"]}}, {"providerId": "hmac-generated", "config": {"kid": ["‹123e4567-e89b-12d3-a456-426614174000›"], "secret": ["«" + word("kchmac", 86) + "»"]}}],
    "ldap": [{"config": {"bindDn": ["‹cn=kc,dc=x›"], "bindCredential": ["«hunter2-kcldap»"]}}]}, "identityProviders": [{"config": {"clientSecret": "«" + word("kcidp", 30) + "»", "tokenUrl": "‹https://idp.example/token›"}}]}, ensure_ascii=False, indent=1))
add("etc/rabbitmq/definitions.json", '{"users":[{"name":"‹guest›","password_hash":"«' + b64("rmq", 36) + '»","hashing_algorithm":"‹rabbit_password_hashing_sha256›","tags":"administrator"}],"parameters":[{"value":{"src-uri":"amqp://u:«hunter2-shovel»@‹mq›"},"name":"s"}]}')
add("etc/rabbitmq/rabbitmq.config", "[{rabbit, [{default_user, <<\"‹admin›\">>}, {default_pass, <<\"«hunter2-rabbit»\">>}]}].\n")
add("etc/app/nested.json", json.dumps({"body": json.dumps({"password": "«hunter2-nested»", "inner": json.dumps({"token": "«" + word("nest2") + "»"}), "note": "‹fine›"}, ensure_ascii=False), "n": 1.5e3, "password": {"policy": "‹strict›"}, "list": [{"password": "«h\"2-" + word("nest3", 8) + "»"}], "Authorization": "Bearer «" + word("nest4", 30) + "»", "pass\u0077ord": "«hunter2-uni»"}, ensure_ascii=False))
add("etc/app/log.jsonl", '{"event": "‹login›", "user": "jean"}\n{"event": "x", "password": "«hunter2-jsonl»"}\n')
add("etc/app/broken.json", '{"host": "‹db›", "password": "«hunter2-broken»", "api_key": "«' + word("brk") + '»", \n  "x": [1, 2')
add("etc/app/minified.js", 'module.exports={host:"‹db›",password:"«hunter2-min»",apiKey:\'«' + word("minjs") + '»\',port:‹3306›,validatePassword:function(p){return p}};\n')
# ---- systems
add("etc/wireguard/wg0.conf", "[Interface]\nAddress = ‹10.9.0.1/24›\nPrivateKey = «" + b64("wg", 32) + "»\nListenPort = ‹51820›\n[Peer]\nPublicKey = ‹" + b64("wgpub", 32) + "›\nPresharedKey = «" + b64("wgpsk", 32) + "»\nAllowedIPs = ‹10.9.0.2/32›\n")
add("etc/NetworkManager/system-connections/wifi.nmconnection", "[connection]\nid=‹wifi›\nuuid=‹123e4567-e89b-12d3-a456-426614174001›\n[wifi-security]\nkey-mgmt=‹wpa-psk›\npsk=«hunter2 wifi»\n[vpn-secrets]\npassword=«hunter2-vpn»\n[802-1x]\npassword-flags=‹1›\nprivate-key-password=«hunter2-8021x»\n")
add("etc/wpa_supplicant/wpa_supplicant.conf", "network={\n  ssid=\"‹hopital›\"\n  #psk=\"«hunter2-wpaclear»\"\n  psk=«" + hexes("wpapsk", 64) + "»\n}\nnetwork={\n  identity=\"‹jean›\"\n  password=\"«hunter2-eapwpa»\"\n  wep_key0=«" + hexes("wep", 26) + "»\n  private_key_passwd=\"«hunter2-pkp»\"\n}\n")
add("etc/systemd/system/app.service", "[Service]\nUser=‹app›\nEnvironment=DB_HOST=‹db› DB_PASSWORD=«hunter2-unit»\nEnvironment=\"TOKEN=«" + word("unit") + "»\" \"MODE=‹prod›\"\nEnvironmentFile=‹/etc/app/env›\nSetCredential=dbpass:«hunter2-setcred»\nLoadCredential=‹apikey:/etc/credstore/apikey›\nSetCredentialEncrypted=x: «"
    + b64("sce", 60) + "»\nExecStart=/usr/bin/app --password «hunter2-exec» --listen ‹:8080›\nExecStartPre=/usr/bin/curl -u admin:«hunter2-execcurl» ‹http://localhost/›\n")
add("etc/credstore/db", "«hunter2-credstore»")
add("etc/cron.d/backup", "MAILTO=‹root›\n0 3 * * * root mysqldump -u backup -p«hunter2-cron» dpi | gzip > ‹/backup/dpi.sql.gz›\n5 3 * * * root PGPASSWORD=«hunter2-cronpg» pg_dump -h ‹db› dpi\n6 * * * * root curl -s -H 'Authorization: Bearer «" + word("cron") + "»' ‹https://api.example/x›\n"
    "7 * * * * root sshpass -p '«hunter2 sshpass»' ssh ‹u@h› true\n8 * * * * root wget --password=«hunter2-wget» ‹https://x.example/f›\n# 9 * * * * root mysql -p«hunter2-croncomment» x\n")
add("var/spool/cron/crontabs/root", "@daily /usr/bin/ldapsearch -x -D cn=admin -w «hunter2-ldapw» -b ‹dc=x›\n")
add("root/.bash_history", "ls -la ‹/srv›\nmysql -u root -p«hunter2-hist01» dpi\nmysql --user=root --password=«hunter2-hist02» -h ‹db1›\nexport PGPASSWORD='«hunter2-hist03»'\ncurl -u jean:«hunter2-hist4» ‹https://x.example/›\ncurl --user 'paul:«hunter2 hist5»' https://y\necho «hunter2-hist6» | passwd --stdin jean\n"
    "sshpass -p«hunter2-hist7» ssh root@‹10.0.0.1›\nredis-cli -a «hunter2-hist8» ping\ndocker login -u jean -p «hunter2-hist9» ‹registry.example›\nhtpasswd -b /etc/nginx/.htpasswd jean «hunter2-hist10»\nopenssl enc -aes-256-cbc -k «hunter2-hist11» -in ‹a.txt›\nopenssl rsa -in k -passin pass:«hunter2-hist12»\n"
    "smbclient //srv/x -U 'jean%«hunter2-hist13»'\nmount -t cifs //s/x /m -o username=‹jean›,password=«hunter2-hist14»,vers=3.0\ngit clone https://jean:«glpat-" + word("hist15", 20) + "»@‹git.example›/x.git\nvault login «s." + word("hist16", 24) + "»\naws configure set aws_secret_access_key «" + b64("hist17", 30) + "»\n"
    "mysql -u root -p dpi ‹-e 'select 1'›\npsql \"host=‹db› user=x password=«hunter2-hist18»\"\npsql postgresql://x:«hunter2-hist19»@‹db›/dpi\nchpasswd <<< 'jean:«hunter2-hist20»'\necho 'jean:«hunter2-hist21»' | chpasswd\nusermod -p '«$6$x$" + word("hist22", 40) + "»' jean\nmysql -e \"CREATE USER x IDENTIFIED BY '«hunter2-hist23»'\"\n"
    "psql -c \"ALTER ROLE x WITH PASSWORD '«hunter2-hist24»'\"\nzip -P «hunter2-hist25» ‹a.zip› b\n7z a -p«hunter2-hist26» ‹a.7z› b\nipmitool -I lanplus -H 10.0.0.9 -U ADMIN -P «hunter2-hist27» ‹power status›\nsnmpwalk -v2c -c «hunter2-hist28» ‹10.0.0.8›\nnet ads join -U admin%«hunter2-hist29»\nkinit jean <<< «hunter2-hist30»\n")
add("root/.mysql_history", "CREATE USER 'x'@'%' IDENTIFIED BY '«hunter2-mh1»';\nSET PASSWORD FOR 'x'@'%' = PASSWORD('«hunter2-mh2»');\nGRANT ALL ON ‹dpi›.* TO 'y' IDENTIFIED WITH mysql_native_password BY '«hunter2-mh3»';\nCHANGE MASTER TO MASTER_HOST='‹db2›', MASTER_PASSWORD='«hunter2-mh4»';\n")
add("etc/snmp/snmpd.conf", "rocommunity «hunter2-snmp» ‹10.0.0.0/8›\nrwcommunity «hunter2-snmprw»\ncom2sec ‹notConfigUser›  default  «hunter2-com2sec»\ncreateUser ‹jean› SHA \"«hunter2 snmpv3»\" AES «hunter2-priv»\ntrap2sink ‹10.0.0.9› «hunter2-trap»\nsyslocation ‹Salle 3›\n")
add("etc/bind/rndc.key", "key \"‹rndc-key›\" {\n  algorithm ‹hmac-sha256›;\n  secret \"«" + b64("rndc", 32) + "»\";\n};\n")
add("etc/grub.d/40_custom", "set superusers=\"‹admin›\"\npassword_pbkdf2 admin «grub.pbkdf2.sha512.10000." + hexes("grub1", 128).upper() + "." + hexes("grub2", 128).upper() + "»\npassword op «hunter2-grub»\n")
add("etc/sssd/sssd.conf", "[domain/x]\nldap_default_bind_dn = ‹cn=sssd,dc=x›\nldap_default_authtok_type = ‹password›\nldap_default_authtok = «hunter2-sssd»\nldap_uri = ‹ldaps://ldap.example›\n")
add("etc/nslcd.conf", "uri ‹ldap://ldap.example/›\nbinddn ‹cn=x›\nbindpw «hunter2-nslcd»\nrootpwmodpw «hunter2-rootpwmod»\n")
add("etc/ldap/slapd.conf", "rootdn \"‹cn=admin›\"\nrootpw {SSHA}«" + b64("slapd", 24) + "»\nsyncrepl rid=1 provider=‹ldap://x› binddn=\"‹cn=r›\" credentials=«hunter2-syncrepl»\n")
add("srv/ldap/users.ldif", "dn: ‹uid=jean,ou=people›\nuserPassword:: «" + encoded("{SSHA}" + b64("ldif", 24)) + "»\nmail: ‹jean@ch.example›\n\ndn: uid=paul\nuserPassword: «hunter2-ldif»\nsambaNTPassword: «" + hexes("ldifnt", 32).upper() + "»\ndicomHostname: ‹pacs1›\nolcRootPW: «{SSHA}" + b64("olc", 24) + "»\n")
add("etc/sudoers", "Defaults ‹env_reset›\nDefaults passwd_timeout=‹5›\nroot ALL=(ALL:ALL) ‹ALL›\n%wheel ALL=(ALL) NOPASSWD: ‹ALL›\n")
add("etc/pam.d/common-password", "password\t[success=1 default=ignore]\t‹pam_unix.so› obscure ‹yescrypt›\npassword requisite ‹pam_deny.so›\npassword optional ‹pam_gnome_keyring.so›\n")
add("etc/login.defs", "PASS_MAX_DAYS\t‹99999›\nPASS_MIN_LEN ‹5›\nENCRYPT_METHOD ‹YESCRYPT›\n")
add("etc/nsswitch.conf", "passwd:         ‹files systemd›\nshadow:         ‹files›\n")
add("etc/fstab", "//srv/x /mnt cifs username=‹jean›,password=«hunter2-fstab»,uid=0 0 0\nUUID=‹123e4567-e89b-12d3-a456-426614174002› / ext4 ‹defaults› 0 1\n//srv/y /mnt2 cifs credentials=‹/root/.smbcredentials› 0 0\n")
add("root/.smbcredentials", "username=‹jean›\npassword=«hunter2-smbcred»\ndomain=‹CH›\n")
add("etc/haproxy/haproxy.cfg", "userlist u\n  user ‹admin› insecure-password «hunter2-haproxy»\n  user ‹b› password «$6$x$" + word("hap", 60) + "»\nlisten stats\n  stats auth ‹admin›:«hunter2-stats»\n  server ‹s1› 10.0.0.1:80 check\n")
add("etc/redis/redis.conf", "bind ‹127.0.0.1›\nrequirepass «hunter2-redismain»\n# requirepass «foobared-redis»\nmasterauth «hunter2-masterauth»\nuser alice on >«hunter2-redisacl» ~* +@all\n# IMPORTANT NOTE: ‹starting with Redis 6 \"requirepass\" is just a compatibility layer›\n")
add("etc/freeradius/clients.conf", "client ‹localhost› {\n  ipaddr = ‹127.0.0.1›\n  secret = «hunter2-radius»\n  require_message_authenticator = ‹no›\n}\n")
add("etc/freeradius/users", "bob Cleartext-Password := \"«hunter2-raduser»\"\n    Reply-Message := \"‹Hello›\"\nal NT-Password := «" + hexes("radnt", 32) + "»\n")
add("etc/bareos/bareos-dir.conf", "Director {\n  Name = ‹dir›\n  Password = \"«hunter2-bareos»\"   # ‹Console password›\n}\nClient { Name = ‹c1›; Password = «hunter2-bareos2»; Address = ‹10.0.0.1› }\n")
add("etc/zabbix/zabbix_server.conf", "DBName=‹zabbix›\nDBPassword=«hunter2-zabbix»\n# DBPassword=«hunter2-zabbix-old»\nTLSPSKFile=‹/etc/zabbix/agent.psk›\n")
add("etc/zabbix/agent.psk", "«" + hexes("zbxpsk", 64) + "»\n")
add("etc/nagios/resource.cfg", "$USER1$=‹/usr/lib/nagios/plugins›\n$USER3$=«hunter2-nagios»\n#$USER4$=«hunter2-nagios4»\n")
add("etc/nagios/objects/commands.cfg", "define command {\n  command_line ‹$USER1$/check_mysql› -H $HOSTADDRESS$ -u nagios -p «hunter2-checkmysql»\n}\ndefine service {\n check_command check_snmp!-C «hunter2-checksnmp» -o ‹sysUpTime.0›\n}\n")
add("etc/centreon/conf.pm", "$centreon_config = { VarLib => \"‹/var/lib/centreon›\", db_host => \"‹localhost:3306›\", db_user => \"‹centreon›\", db_passwd => '«hunter2-centreon»' };\n$mysql_passwd = \"«hunter2-centreon2»\";\n1;\n")
add("etc/logstash/pipeline.conf", "output { elasticsearch { hosts => [\"‹https://es:9200›\"] user => \"‹logstash›\" password => \"«hunter2-logstash»\" cacert => \"‹/etc/ca.pem›\" } }\n")
add("etc/mongod.conf", "security:\n  keyFile: ‹/etc/mongo.key›\n  authorization: ‹enabled›\nnet:\n  tls:\n    certificateKeyFilePassword: «hunter2-mongo»\n")
add("etc/mongo.key", "«" + b64("mongokey", 48) + "»\n«" + b64("mongokey2", 48) + "»\n")
add("etc/dovecot/dovecot-sql.conf.ext", "driver = ‹mysql›\nconnect = host=‹127.0.0.1› dbname=‹mail› user=‹mail› password=«hunter2-dovecotsql»\npassword_query = ‹SELECT username, domain, password FROM users WHERE userid='%u'›\nssl_key = ‹</etc/dovecot/private/dovecot.pem›\n")
add("etc/postfix/mysql.cf", "user = ‹postfix›\npassword = «hunter2-postfix»\nquery = ‹SELECT 1›\n")
add("etc/postfix/main.cf", "smtp_sasl_password_maps = ‹hash:/etc/postfix/sasl_passwd›\nsmtpd_tls_key_file = ‹/etc/ssl/private/x.key›\nsmtp_sasl_auth_enable = ‹yes›\n")
add("etc/oracle/tnsnames.ora", "DPI = (DESCRIPTION = (ADDRESS = (PROTOCOL = ‹TCP›)(HOST = ‹db.example›)(PORT = 1521)))\n")
add("opt/oracle/exp.par", "userid=dpi/«hunter2-oracle»@‹ORCL›\nfile=‹exp.dmp›\n")
add("etc/network/switch.cfg", "hostname ‹sw1›\nenable secret 5 «$1$" + word("cis", 4) + "$" + word("cish", 22) + "»\nusername ‹admin› privilege 15 password 7 «0822455D0A165445" + hexes("c7", 8).upper() + "»\nsnmp-server community «hunter2-ciscosnmp» RO\n enable password «hunter2-ciscoenable»\nline vty 0 4\n password «hunter2-vty»\nset password ENC «" + b64("forti", 40) + "»\ntacacs-server key 7 «" + hexes("tac", 20).upper() + "»\n")
add("etc/couchdb/local.ini", "[admins]\nadmin = «-pbkdf2-" + hexes("couch", 40) + "," + hexes("couch2", 32) + ",10»\n[chttpd]\nport = ‹5984›\n")
add("root/.aws/credentials", "[default]\naws_access_key_id = «AKIA" + word("aws2", 16, string.ascii_uppercase + string.digits) + "»\naws_secret_access_key = «" + b64("aws2", 30) + "»\naws_session_token = «" + b64("awst", 120) + "»\nregion = ‹eu-west-3›\n")
add("etc/app/azure.env", "AZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=‹https›;AccountName=‹dpi›;AccountKey=«" + b64("az", 64) + "»;EndpointSuffix=‹core.windows.net›\nSAS_URL=\"https://‹dpi.blob.core.windows.net›/c?sv=‹2022-11-02›&sig=«" + b64("sas", 32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D") + "»\"\nAZURE_CLIENT_SECRET=«" + word("azcs", 12) + "~" + word("azcs2", 26) + "»\n")
add("etc/app/tokens.txt", "github: «ghp_" + word("ghp", 36) + "»\n" + "see https://hooks.slack.com/services/«T" + word("sl1", 8) + "/B" + word("sl2", 8) + "/" + word("sl3", 24) + "» ‹for alerts›\nstripe «sk_live_" + word("sk", 24) + "» and «xoxb-" + word("xo", 30) + "»\nnpm «npm_" + word("npm", 36) + "», pypi «pypi-AgEIcHlwaS5vcmc" + word("pypi", 60)
    + "», gitlab «glpat-" + word("gl", 20) + "» do «dop_v1_" + hexes("do", 64) + "» jwt «" + JWT + "»\nwebhook https://discord.com/api/webhooks/«123456789012345678/" + word("disc", 60) + "»\nrevision ‹" + SHA + "›\nplain https://‹www.example.com›/path?x=1 and https://‹user›@‹example.com›/x\nftp://jean:«hunter2%2Furl»@‹ftp.example›/\namqps://u:«p@ss-" + word("amqp", 6) + "»@‹mq›:5671/%2f\n")
add("etc/app/npmrc", "registry=‹https://registry.npmjs.org/›\n//registry.npmjs.org/:_authToken=«" + word("npmrc", 36) + "»\n_auth=«" + encoded("jean:hunter2-npm") + "»\nalways-auth=‹true›\n")
add("root/.git-credentials", "https://jean:«hunter2-git»@‹git.example›\n")
add("root/.subversion/auth/svn.simple/0123", "K 8\npassstore\nV 6\nsimple\nK 8\npassword\nV 11\n«hunter2-svn»\nK 8\nusername\nV 4\n‹jean›\nEND\n")
add("srv/svn/conf/passwd", "[users]\njean = «hunter2-svnserve»\n")
add("etc/app/script.sh", "#!/bin/sh\n# ‹asks for a password if none is given›\nread -s -p '‹Password: ›' PASSWORD\nDB_PASS=\"${DB_PASS:-«hunter2-script»}\"\nPASSWORD=$(‹cat /run/secrets/x›)\nif [ \"$PASSWORD\" = \"«hunter2-compare»\" ]; then echo ‹ok›; fi\ncat <<EOF > /root/.my.cnf\n[client]\npassword=«hunter2-heredocsh»\nEOF\ncurl -H \"X-Api-Key: «" + word("xapi") + "»\" ‹https://x›\n")
add("etc/app/app.py", "import os\nPASSWORD = os.environ[‹'DB_PASSWORD'›]\npassword = \"«hunter2-py»\"\ndb = connect(host='‹db›', password='«hunter2-pykw»')\nSECRET_KEY = '«django-insecure-" + word("dj", 40) + "»'\ndef check(password: ‹str›) -> bool:\n    return ‹verify(password)›\nDATABASES = {'default': {'PASSWORD': '«hunter2-dj»', 'NAME': '‹dpi›'}}\n")
add("etc/app/ps.ps1", "$Password = ConvertTo-SecureString \"«hunter2-ps»\" -AsPlainText -Force\n$cred = Get-Credential\n")
add("etc/app/latin1.conf", "# ‹réglages›\npassword = «hunter2-latin1-é»\n")
add("etc/app/crlf.ini", "[a]\r\npassword = «hunter2-crlf»\r\nhost = ‹h›\r\n")
add("etc/app/bom.ini", "\ufeffpassword=«hunter2-bom»\nhost=‹h›\n")
add("etc/app/README", "‹The password must have twelve characters. Tokens expire after one hour.›\n‹Set password_file to the path of a file; the secret is read once.›\n")
add("etc/app/policy.conf", "# ‹the password is stored elsewhere, see the wiki›\npassword_policy = ‹strict›\npassword_encryption = ‹scram-sha-256›\ntoken_ttl = ‹3600›\nsecret_name = ‹foo›\npassword =\nmax_tokens = ‹4096›\nssl_key = ‹/etc/ssl/private/x.key›\ngit_revision = ‹" + SHA + "›\nlog_format = ‹%h %l %u %t \"%r\" %>s %b›\nciphers = ‹HIGH:!aNULL:!MD5›\nauth = ‹pam›\ncredentials_provider = ‹ldap›\n")

# ---- what is easily missed
add("srv/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif", "olcRootPW:: «" + encoded("{SSHA}" + b64("fold", 24))[:40] + "»\n «" + encoded("{SSHA}" + b64("fold", 24))[40:] + "»\nolcSuffix: ‹dc=ch,dc=example›\n")
add("opt/app/continued.properties", "app.password=«hunter2-cont-»\\\n    «second-cont-" + word("cont", 6) + "»\napp.host=‹db›\n")
add("etc/app/below.ini", "[a]\nhost = ‹h›\nsecret_key =\n    «" + word("below1", 30) + "»\n    «" + word("below2", 30) + "»\nport = ‹1›\n")
add("etc/app/args.json", '{"command": ["/bin/app", "--db-password", "«hunter2-jsonargs»", "--host", "‹db›"], "Env": ["A=‹b›", "DB_PASSWORD=«hunter2-jsonenv»"]}')
add("etc/app/args.yaml", "args:\n  - --verbose\n  - --password\n  - «hunter2-yamlargs»\n  - ‹--host›\n")
add("etc/app/commented.pem", "# -----BEGIN PRIVATE KEY-----\n# «" + b64("cpem", 48) + "»\n# -----END PRIVATE KEY-----\nhost = ‹h›\n")
add("etc/nginx/site.conf", "server {\n  fastcgi_param DB_PASSWORD «hunter2-fastcgi»;\n  proxy_set_header Authorization \"Basic «" + encoded("u:hunter2-nginx") + "»\";\n  proxy_pass ‹http://127.0.0.1:8080›;\n  auth_basic_user_file ‹/etc/nginx/.htpasswd›;\n  ssl_certificate_key ‹/etc/ssl/private/x.key›;\n  add_header X ‹\"y\"›;\n}\n")
add("etc/apache2/site.conf", "SetEnv DB_PASSWORD «hunter2-setenv»\nAuthLDAPBindPassword \"«hunter2 apache»\"\nProxyPass ‹/ http://127.0.0.1:8080/›\nSSLPassPhraseDialog ‹exec:/usr/share/apache2/ask›\nAuthUserFile ‹/etc/apache2/.htpasswd›\n")
add("etc/asterisk/sip.conf", "register => ‹1234›:«hunter2-asterisk»@‹sip.example›\n[100]\nsecret=«hunter2-sip»\nhost=‹dynamic›\n")
add("etc/squid/squid.conf", "cache_peer ‹proxy.example› parent 3128 0 login=jean:«hunter2-squid»\n")
add("etc/keepalived/keepalived.conf", "vrrp_instance ‹VI_1› {\n  authentication {\n    auth_type ‹PASS›\n    auth_pass «4821»\n  }\n}\n")
add("etc/tgt/conf.d/x.conf", "<target ‹iqn.2026.example:x›>\n  incominguser jean «hunter2-iscsi»\n</target>\n")
add("etc/pve/priv/token.cfg", "‹root@pam!exeat› «f3c1a2b4-5d6e-4f70-8192-a3b4c5d6e7f8»\n")
add("root/notes.txt", "‹Serveur de la pharmacie›\nMot de passe : «hunter2-note1»\nlogin: ‹admin› / password: «hunter2-note2»\nmot de passe admin = «hunter2-note3»\n")
add("root/.fetchmailrc", "poll ‹mail.example› protocol imap username \"‹jean›\" password \"«hunter2-fetchmail»\"\n")
add("root/.msmtprc", "account ‹default›\npassword «hunter2-msmtp»\npasswordeval \"‹pass show mail›\"\nremotepass = «hunter2-remotepass»\n")
add("root/.ash_history", "echo «hunter2-stdin» | docker login -u x --password-stdin ‹r.example›\nnmcli dev wifi connect ‹hopital› password «hunter2-nmcli»\nrabbitmqctl add_user ‹jean› «hunter2-rmq»\nssh-keygen -t ed25519 -N '«hunter2-keygen»' -f ‹k›\nopenssl passwd -6 «hunter2-osslpw»\nkubectl create secret generic ‹x› --from-literal=password=«hunter2-literal»\nPASSWORDS=(«hunter2-arr1 hunter2-arr2»)\n"
    "wget 'https://x.example/?api_key=«" + word("query") + "»&page=‹2›'\n")
add("etc/ceph/ceph.client.admin.keyring", "[client.admin]\n\tkey = «AQ" + b64("ceph", 27) + "»\n\tcaps mon = ‹\"allow *\"›\n")
add("etc/drbd.d/r0.res", "resource ‹r0› { net { shared-secret \"«hunter2-drbd»\"; cram-hmac-alg ‹sha1›; } }\n")
add("etc/laravel/.env", "APP_KEY=base64:«" + b64("laravel", 32) + "»\nAPP_NAME=‹Portail›\n")
add("etc/gitlab/gitlab.rb", "gitlab_rails['smtp_password'] = \"«hunter2-gitlab»\"\nexternal_url '‹https://git.example›'\n# gitlab_rails['initial_root_password'] = \"«hunter2-gitlabroot»\"\n")
add("etc/libvirt/qemu/vm.xml", "<domain><graphics type='‹vnc›' passwd='«hunter2-vnc»'/><uuid>‹123e4567-e89b-12d3-a456-426614174003›</uuid></domain>\n")
add("root/passwords.txt", "admin: «hunter2-listed»\nbaie 3 = «hunter2-listed3»\nhost: ‹sw1.example›\n")

# ---- names apart from their values
add("srv/dump.sql", "CREATE TABLE `staff` (\n  `id` int NOT NULL,\n  `login` varchar(40),\n  `passwd` varchar(64),\n  PRIMARY KEY (`id`)\n);\nINSERT INTO `staff` VALUES (1,'‹alice›','«hunter2-sql1»'),(2,'‹bob›','«hunter2,sql2)»');\n"
    "insert into users (login, password, mail) values ('‹carl›', md5('«hunter2-sql3»'), '‹c@ch.example›');\nCOPY public.accounts (id, name, secret_key) FROM stdin;\n1\t‹dora›\t«hunter2-copy»\n\\.\nSET PASSWORD FOR 'bob'@'localhost' = '«hunter2-setpw»';\n"
    "UPDATE settings SET value = '«hunter2-update»' WHERE name = 'smtp_password';\n")
add("etc/consul.d/acl.hcl", "acl = {\n  enabled = ‹true›\n  tokens = {\n    initial_management = \"«hunter2-consul1»\"\n    default = \"«hunter2-consul2»\"\n  }\n}\ndatacenter = \"‹dc1›\"\n")
add("etc/tomcat9/server.xml", "<Server port=\"‹8005›\" shutdown=\"«hunter2-shutdown»\"><Service name=\"‹Catalina›\"><Connector keystorePass=\"«hunter2-keystore»\" port=\"‹8443›\"/></Service></Server>\n")
add("srv/README.md", "# ‹Exploitation›\n\nThe admin password is `«hunter2-readme1»`. The password is ‹required›.\n**Password**: «hunter2-readme2»\nLogin with admin / «hunter2-readme3» and click on ‹Save›.\n\n| System | User | Password |\n|---|---|---|\n| ‹PACS› | ‹admin› | «hunter2-readme4» |\n")
add("srv/main.tf", "user_data = \"#cloud-config\\nchpasswd:\\n  list: |\\n    ‹root›:«hunter2-userdata1»\\n  expire: ‹False›\\n\"\nother = <<-EOF\n  #cloud-config\n  chpasswd:\n    list: |\n      ‹root›:«hunter2-userdata2»\n  EOF\n")
add("srv/setup.sh", "#!/bin/sh\nif [ \"$PASSWORD\" = \"«hunter2-compare1»\" ]; then echo ‹ok›; fi\n[[ $token == «hunter2-compare2» ]] && echo ‹yes›\naws configure set aws_secret_access_key «hunter2-awsset»\nchpasswd <<EOF\n‹root›:«hunter2-chpasswd»\nEOF\nsystemd-creds encrypt --name=x - <<< \"«hunter2-creds»\"\n")
