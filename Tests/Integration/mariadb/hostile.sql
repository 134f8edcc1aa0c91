-- What a server may hold that tools are known to lose or to change.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
CREATE ROLE doctors;
CREATE ROLE surgeons;
CREATE USER 'app'@'%' IDENTIFIED BY 'app secret';
CREATE USER 'reader'@'localhost' IDENTIFIED BY 'reader secret' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 1000;
CREATE USER 'o''neil'@'10.0.%' IDENTIFIED BY 'x\\''y';

CREATE DATABASE portail CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT 'le portail';
CREATE DATABASE `we``ird db` CHARACTER SET latin1;
USE portail;

CREATE TABLE numbers (
    id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT UNSIGNED,
    i INT ZEROFILL, b BIGINT, bu BIGINT UNSIGNED, f FLOAT, fm FLOAT(10,3), d DOUBLE, dm DOUBLE(20,5),
    dec65 DECIMAL(65,30), dec0 DECIMAL(40,0), bit1 BIT(1), bit7 BIT(7), bit64 BIT(64), bool_ BOOLEAN);
INSERT INTO numbers VALUES
    (0, -128, 255, -32768, 16777215, 42, -9223372036854775808, 18446744073709551615, 16777216, 123.456, 1.7976931348623157e308, 0.00001, 12345678901234567890123456789012345.123456789012345678901234567890, 1234567890123456789012345678901234567890, b'1', b'1010101', x'FFEEDDCC5C090A00', TRUE),
    (1, 127, 0, 32767, 0, 0, 9223372036854775807, 0, 1.2345678806, 0.001, -1.7976931348623157e308, -99999.99999, -0.000000000000000000000000000001, -1, b'0', b'0', x'00', FALSE),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3.4028234e38, NULL, 4.9e-324, NULL, NULL, NULL, NULL, NULL, x'0A', NULL),
    (3, 0, 0, 0, 0, 0, 0, 0, 1.17549435e-38, 16777.217, 0.1, 123456789.12345, 0, 0, b'1', b'1111111', x'5C6E', NULL),
    (-5, 1, 1, 1, 1, 1, 1, 1, 0.1, 0.1, 2.2250738585072014e-308, 0.1, 0.1, 1, b'1', b'1', b'1', NULL),
    (6, 1, 1, 1, 1, 1, 1, 1, 33554433, 9999999.5, 123456789012345678, 3, 1, 1, b'1', b'1', b'1', NULL);
UPDATE numbers SET d = -1 * d * 0 WHERE id = 6;

CREATE TABLE times (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, d DATE, dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL,
    ts6 TIMESTAMP(6) NULL, t TIME, t6 TIME(6), y YEAR) AUTO_INCREMENT = 5000;
INSERT INTO times VALUES
    (0, '0000-00-00', '0000-00-00 00:00:00', '2024-00-10 00:00:00.000001', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999', '-838:59:59', '-838:59:59.999999', 0),
    (1, '2024-02-00', '2001-02-31 12:00:00', '9999-12-31 23:59:59.999999', '2024-03-31 01:30:00', '2024-10-27 00:30:00.500000', '838:59:59', '00:00:00.000001', 1901),
    (2, '2023-02-31', NULL, NULL, NULL, NULL, NULL, NULL, 2155);

CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(10), v VARCHAR(300), l1 VARCHAR(100) CHARACTER SET latin1,
    u16 VARCHAR(100) CHARACTER SET utf16, u32 CHAR(20) CHARACTER SET utf32, ucs TEXT CHARACTER SET ucs2,
    sj VARCHAR(50) CHARACTER SET sjis, gbk VARCHAR(50) CHARACTER SET gbk, koi VARCHAR(50) CHARACTER SET koi8r,
    asc_ VARCHAR(20) CHARACTER SET ascii, bin_ VARCHAR(20) COLLATE utf8mb4_bin, txt LONGTEXT,
    b BINARY(8), vb VARBINARY(300), bl BLOB, lb LONGBLOB, j JSON, comp TEXT COMPRESSED,
    e ENUM('', 'a', '1', 'l''été', 'tab\t'), e2 ENUM('x', 'y') CHARACTER SET latin1, s SET('lire', 'écrire', 'x y'),
    FULLTEXT KEY words (txt));
INSERT INTO texts VALUES
    (1, 'a', 'tab\tnewline\nreturn\rnul\0back\\slash quote'' dq" pct% \Z end\\', 'é\t\n\\', 'héé😀\\\n', '😀\\', 'Ω\t',
     _sjis x'835C835C', _gbk x'815C815C0A', 'привет', 'plain', 'ÀàA', repeat('données\t', 5000), x'00095C0A0D1A2722', x'5C4E',
     x'5C', x'000102030405060708090A0B0C0D0E0F5C5C5C0A5C6E09', '{"a": [1, 2.50, null], "é": "\\\\ \\n"}', repeat('c', 3000), 'a', 'y', 'lire,x y'),
    (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '[]', '', '', 'x', ''),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '\\N', 'NULL', '\\N', '\\N', 'N', 'N', 'N', 'N', 'N', '\\N', '\\N', '\\N', '\\N', '\\N', '\\N', '\\N', '"\\\\N"', '\\N', '1', 'x', 'écrire'),
    (5, 'a ', 'a ', 'b ', 'c ', 'd', 'e', 'f', 'g', 'h', 'i', 'j ', 'k ', 'l', 'm ', 'n', 'o', '{}', 'p', 'l''été', 'y', 'lire');
SET sql_mode = '';
INSERT INTO texts (id, e, e2) VALUES (6, 'no member', 'none');
SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
INSERT INTO texts (id, vb) SELECT 100 + seq, REPEAT(CHAR(seq), 3) FROM seq_0_to_255;
INSERT INTO texts (id, lb) VALUES (1000, REPEAT(x'5C090A00FF', 500000));

CREATE TABLE addresses (id UUID PRIMARY KEY, i4 INET4, i6 INET6);
INSERT INTO addresses VALUES ('0f8fad5b-d9cb-469f-a165-70867728950e', '192.0.2.1', '2001:db8::1'),
    ('00000000-0000-0000-0000-000000000000', NULL, '::ffff:1.2.3.4');

CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL, l LINESTRING, po POLYGON, mp MULTIPOINT,
    ml MULTILINESTRING, mpo MULTIPOLYGON, gc GEOMETRYCOLLECTION, SPATIAL KEY place (p));
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), POINT(0.1, -0.2), ST_GeomFromText('LINESTRING(0 0,1 1)', 3857),
    ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))'), ST_GeomFromText('MULTIPOINT(0 0,9 9)'),
    ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'), ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))', 4326),
    ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')), (2, NULL, POINT(9.2, 10), NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE `na``me with "all" \\ é` (`col``umn` INT PRIMARY KEY, `order` VARCHAR(20) DEFAULT 'x''y\\z', `a b` INT AS (`col``umn` * 2) VIRTUAL,
    `c	d` VARCHAR(50) AS (CONCAT(`order`, '\n\\')) PERSISTENT, KEY `k``ey` (`a b`)) COMMENT 'it''s a \\ comment\nof two lines';
INSERT INTO `na``me with "all" \\ é` (`col``umn`, `order`) VALUES (1, 'one'), (2, NULL), (3, DEFAULT);
CREATE TABLE aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg (aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg INT);
INSERT INTO aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg VALUES (1), (1), (NULL), (NULL);

CREATE TABLE hidden (id INT PRIMARY KEY, seen INT, precious VARCHAR(20) INVISIBLE NOT NULL DEFAULT 'lost', age INT AS (YEAR(CURDATE()) - seen) VIRTUAL);
INSERT INTO hidden (id, seen, precious) VALUES (1, 1, 'PRECIOUS'), (2, 2, 'kept');

CREATE TABLE versions (id INT PRIMARY KEY, v VARCHAR(20)) WITH SYSTEM VERSIONING;
INSERT INTO versions VALUES (1, 'first'), (2, 'gone');
UPDATE versions SET v = 'second' WHERE id = 1;
UPDATE versions SET v = 'third' WHERE id = 1;
DELETE FROM versions WHERE id = 2;
CREATE TABLE versions2 (id INT, v INT WITHOUT SYSTEM VERSIONING, w INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE,
    e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (id, e)) WITH SYSTEM VERSIONING
    PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION pn CURRENT);
INSERT INTO versions2 VALUES (1, 1, 1), (2, 2, 2);
UPDATE versions2 SET w = 5;
DELETE FROM versions2 WHERE id = 1;
CREATE TABLE bookings (room INT, from_ DATE, to_ DATE, PERIOD FOR stay (from_, to_), UNIQUE KEY (room, stay WITHOUT OVERLAPS));
INSERT INTO bookings VALUES (1, '2024-01-01', '2024-01-05'), (1, '2024-01-05', '2024-01-09');
CREATE TABLE bitemporal (id INT, a DATE, b DATE, PERIOD FOR valid (a, b), v INT) WITH SYSTEM VERSIONING;
INSERT INTO bitemporal VALUES (1, '2024-01-01', '2025-01-01', 7);
UPDATE bitemporal FOR PORTION OF valid FROM '2024-03-01' TO '2024-04-01' SET v = 8;

CREATE TABLE p_range (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION a VALUES LESS THAN (2000), PARTITION b VALUES LESS THAN MAXVALUE);
CREATE TABLE p_list (id INT, k VARCHAR(5)) PARTITION BY LIST COLUMNS (k) (PARTITION a VALUES IN ('x', 'y'), PARTITION d DEFAULT);
CREATE TABLE p_hash (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4;
CREATE TABLE p_key (id INT PRIMARY KEY) PARTITION BY LINEAR KEY () PARTITIONS 3;
CREATE TABLE p_sub (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION a VALUES LESS THAN (2000), PARTITION b VALUES LESS THAN MAXVALUE);
INSERT INTO p_range SELECT seq, 1900 + seq FROM seq_1_to_200;
INSERT INTO p_list VALUES (1, 'x'), (2, 'zz'), (3, 'y');
INSERT INTO p_hash SELECT seq FROM seq_1_to_100;
INSERT INTO p_key SELECT seq FROM seq_1_to_100;
INSERT INTO p_sub SELECT seq, DATE '1995-01-01' + INTERVAL seq MONTH FROM seq_1_to_100;

CREATE TABLE chicken (id INT PRIMARY KEY, egg INT);
CREATE TABLE egg (id INT PRIMARY KEY, chicken INT, CONSTRAINT of_chicken FOREIGN KEY (chicken) REFERENCES chicken (id) ON DELETE CASCADE);
ALTER TABLE chicken ADD CONSTRAINT of_egg FOREIGN KEY (egg) REFERENCES egg (id) ON UPDATE SET NULL;
SET foreign_key_checks = 0;
INSERT INTO chicken VALUES (1, 1), (2, NULL);
INSERT INTO egg VALUES (1, 1), (2, 2);
SET foreign_key_checks = 1;
CREATE TABLE tree (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES tree (id));
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);
CREATE TABLE checked (id INT PRIMARY KEY, n INT CHECK (n > 0), m INT, CONSTRAINT both_ CHECK (m IS NULL OR m > n));
INSERT INTO checked VALUES (1, 1, 2), (2, 5, NULL);

CREATE TABLE e_myisam (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20), KEY (v)) ENGINE = MyISAM AUTO_INCREMENT = 77;
CREATE TABLE e_aria (id INT, v TEXT) ENGINE = Aria TRANSACTIONAL = 1;
CREATE TABLE e_memory (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE = MEMORY;
CREATE TABLE e_csv (id INT NOT NULL, v VARCHAR(20) NOT NULL) ENGINE = CSV;
INSERT INTO e_myisam VALUES (0, 'zero'), (5, 'five');
INSERT INTO e_aria VALUES (1, 'one'), (1, 'one');
INSERT INTO e_memory VALUES (1, 'one');
INSERT INTO e_csv VALUES (1, 'o"n,e'), (2, 'line\nfeed');
CREATE TABLE auto_edge (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 200;
INSERT INTO auto_edge VALUES (0), (254);
CREATE TABLE auto_last (a INT, id INT AUTO_INCREMENT, KEY (a), KEY serial (id)) AUTO_INCREMENT = 900;
CREATE TABLE nothing_in_it (id INT PRIMARY KEY, x GEOMETRY);
CREATE SEQUENCE ticket START WITH 100 INCREMENT BY 10 MINVALUE 100 MAXVALUE 100000 CACHE 20 CYCLE;
CREATE SEQUENCE down START WITH -1 INCREMENT BY -1 MINVALUE -1000 MAXVALUE -1 NOCACHE;
SELECT NEXTVAL(ticket), NEXTVAL(ticket), NEXTVAL(down);
CREATE TABLE with_sequence (id INT PRIMARY KEY DEFAULT NEXTVAL(ticket), v INT);
INSERT INTO with_sequence (v) VALUES (1);

CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100));
CREATE TABLE stay (id INT PRIMARY KEY, patient VARCHAR(50), n INT DEFAULT 0);
INSERT INTO stay VALUES (1, 'Dupont', 1), (2, 'Müller', 2);
DELIMITER //
CREATE TRIGGER stay_1 BEFORE INSERT ON stay FOR EACH ROW SET NEW.n = NEW.n + 1 //
CREATE TRIGGER stay_3 BEFORE INSERT ON stay FOR EACH ROW FOLLOWS stay_1 INSERT INTO audit (what) VALUES (CONCAT('é 3 ', NEW.n)) //
CREATE TRIGGER portail.stay_2 BEFORE INSERT ON portail.stay FOR EACH ROW PRECEDES stay_3 BEGIN
  /* a ; comment */ SET NEW.n = NEW.n * 10; -- and another;
  INSERT INTO portail.audit (what) VALUES ("of portail.stay;;");
END //
CREATE DEFINER = 'app'@'%' TRIGGER stay_u AFTER UPDATE ON stay FOR EACH ROW INSERT INTO audit (what) VALUES ('u') //
CREATE FUNCTION price(n INT) RETURNS DECIMAL(10,2) DETERMINISTIC SQL SECURITY INVOKER COMMENT 'it''s' RETURN n * 1.5 //
CREATE DEFINER = 'app'@'%' PROCEDURE fill(IN n INT, OUT total INT) MODIFIES SQL DATA BEGIN
  DECLARE i INT DEFAULT 0;
  SELECT COUNT(*) INTO total FROM portail.stay AS portail_stay;
END //
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' //
CREATE PROCEDURE "ansi" () SELECT "patient", 'back\slash', 'it''s' FROM "stay" //
CREATE TABLE "ansi table" ("id" INT PRIMARY KEY, "v" VARCHAR(20) DEFAULT 'a\b') //
INSERT INTO "ansi table" ("id") VALUES (1) //
SET sql_mode = 'ORACLE' //
CREATE PACKAGE ward AS FUNCTION beds RETURN INT; PROCEDURE admit(p INT); END //
CREATE PACKAGE BODY ward AS FUNCTION beds RETURN INT AS BEGIN RETURN 12; END; PROCEDURE admit(p INT) AS BEGIN NULL; END; END //
SET sql_mode = '' //
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01 03:00:00' ON COMPLETION PRESERVE ENABLE COMMENT 'each night' DO INSERT INTO audit (what) VALUES ('night') //
SET time_zone = 'SYSTEM' //
CREATE EVENT off_event ON SCHEDULE EVERY 2 HOUR DISABLE DO DELETE FROM audit WHERE id < 0 //
DELIMITER ;
SET time_zone = '+00:00';
CREATE VIEW v_base AS SELECT id, patient FROM stay;
CREATE DEFINER = 'app'@'%' SQL SECURITY DEFINER VIEW a_view_over_view AS SELECT v.id, price(v.id) AS cost FROM v_base v WITH CASCADED CHECK OPTION;
CREATE ALGORITHM = TEMPTABLE SQL SECURITY INVOKER VIEW `v with space` AS SELECT 'tab\t"quote"' AS `the text`, COUNT(*) AS n FROM portail.stay;
USE `we``ird db`;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), KEY (v));
INSERT INTO t VALUES (1, 'é'), (2, 'ü');
CREATE VIEW across AS SELECT t.v, s.patient FROM t JOIN portail.stay s USING (id) WHERE portail.price(t.id) > 0;
CREATE TABLE child (id INT PRIMARY KEY, stay INT, FOREIGN KEY (stay) REFERENCES portail.stay (id));
INSERT INTO child VALUES (1, 1);
SET NAMES latin1;
CREATE PROCEDURE latin() COMMENT 'in latin1' SELECT 'x' AS `y`;
SET NAMES utf8mb4;

GRANT SELECT, INSERT, UPDATE ON portail.* TO 'app'@'%';
GRANT EXECUTE ON PROCEDURE portail.fill TO 'app'@'%';
GRANT SELECT (id, patient), UPDATE (patient) ON portail.stay TO 'reader'@'localhost';
GRANT SELECT ON portail.v_base TO doctors;
GRANT SELECT ON `we``ird db`.* TO surgeons WITH GRANT OPTION;
GRANT doctors TO surgeons;
GRANT surgeons TO 'reader'@'localhost';
SET DEFAULT ROLE surgeons FOR 'reader'@'localhost';
GRANT PROCESS ON *.* TO 'app'@'%';
