/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What SQLite's result codes mean for a sender. A full disk, somebody else's lock and no memory pass: try again later.
 * A file that cannot be read, written or understood is the administrator's matter: internal. That includes a file
 * system that has become read-only, which nobody cures by trying again.
 */
#include "store/sqlite-error.h"

/* @result: primary or extended */
HarkError
hark_sqlite_error_get_code (int result)
{
  switch (result & 0xff)
    {
    case SQLITE_CONSTRAINT:
      return HARK_ERROR_CONFLICT;
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return HARK_ERROR_OVERLOADED;
    case SQLITE_TOOBIG:
      return HARK_ERROR_TOO_LARGE;
    default:
      return HARK_ERROR_INTERNAL;
    }
}

/* Whether @result tells something of the machine rather than of the statement. */
gboolean
hark_sqlite_is_outage (int result)
{
  switch (result & 0xff)
    {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return TRUE;
    default:
      return hark_sqlite_needs_reopen (result);
    }
}

/* Whether the connection may have lost touch with the file: another one is tried before the next work. */
gboolean
hark_sqlite_needs_reopen (int result)
{
  switch (result & 0xff)
    {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return TRUE;
    default:
      return FALSE;
    }
}

/**
 * hark_sqlite_set_error:
 * @result: not %SQLITE_OK
 * @text: (nullable): SQLite's own words, where they say more than the code does
 */
void
hark_sqlite_set_error (GError **error, int result, const char *text)
{
  g_set_error (error, HARK_ERROR, hark_sqlite_error_get_code (result), "store: %s",
               text != NULL ? text : sqlite3_errstr (result));
}
