CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- A comment; and a trigger, whose body has semicolons.
CREATE TABLE log (text TEXT);
CREATE TRIGGER person_log AFTER INSERT ON person
BEGIN
  INSERT INTO log (text) VALUES (new.name || ';');
END;
INSERT INTO person (id, name) VALUES (1, 'ann');
