UPDATE person SET name = 'bob';
COMMIT;
