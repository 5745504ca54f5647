/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that fails when told to: SQLite's default file system with a thin layer over files, which lets a number of
 * operations pass and then answers as a full, broken or read-only disk does. Told from any thread; the database and
 * its log fail, the rest (shared memory is not a file here) goes through.
 */
#include "fault-vfs.h"

#include <sqlite3.h>

typedef struct
{
  sqlite3_file base;
  sqlite3_file *real; /* behind this struct */
  gboolean counted;   /* the database or its log */
} FaultFile;

/* Of the process, as SQLite's list of file systems is. Atomic. */
static struct
{
  int fault;
  int after; /* operations that still pass */
  int times; /* operations that fail */
  int hits;
} state;

/**
 * fault_vfs_fail:
 * @after: so many operations of that kind still pass
 * @times: so many then fail; G_MAXINT: until told otherwise
 */
void
fault_vfs_fail (Fault fault, guint after, guint times)
{
  g_atomic_int_set (&state.fault, FAULT_NONE);
  g_atomic_int_set (&state.after, after);
  g_atomic_int_set (&state.times, times);
  g_atomic_int_set (&state.hits, 0);
  g_atomic_int_set (&state.fault, fault);
}

/* How many operations have failed since the last fault_vfs_fail (). */
guint
fault_vfs_get_hits (void)
{
  return g_atomic_int_get (&state.hits);
}

static gboolean
fails (const FaultFile *file)
{
  if (!file->counted)
    return FALSE;
  if (g_atomic_int_add (&state.after, -1) > 0)
    return FALSE;
  g_atomic_int_set (&state.after, 0);
  if (g_atomic_int_add (&state.times, -1) <= 0)
    {
      g_atomic_int_set (&state.times, 0);
      return FALSE;
    }
  g_atomic_int_inc (&state.hits);
  return TRUE;
}

static sqlite3_file *
real (sqlite3_file *file)
{
  return ((FaultFile *)file)->real;
}

static int
file_close (sqlite3_file *file)
{
  return real (file)->pMethods->xClose (real (file));
}

static int
file_read (sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
  if (g_atomic_int_get (&state.fault) == FAULT_READ && fails ((FaultFile *)file))
    return SQLITE_IOERR_READ;
  return real (file)->pMethods->xRead (real (file), out, len, at);
}

static int
file_write (sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
  int fault = g_atomic_int_get (&state.fault);
  if (fault == FAULT_FULL && fails ((FaultFile *)file))
    return SQLITE_FULL;
  if ((fault == FAULT_WRITE || fault == FAULT_READ_ONLY) && fails ((FaultFile *)file))
    return SQLITE_IOERR_WRITE;
  return real (file)->pMethods->xWrite (real (file), data, len, at);
}

static int
file_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  return real (file)->pMethods->xTruncate (real (file), size);
}

static int
file_sync (sqlite3_file *file, int flags)
{
  if (g_atomic_int_get (&state.fault) == FAULT_SYNC && fails ((FaultFile *)file))
    return SQLITE_IOERR_FSYNC;
  return real (file)->pMethods->xSync (real (file), flags);
}

static int
file_size (sqlite3_file *file, sqlite3_int64 *size)
{
  return real (file)->pMethods->xFileSize (real (file), size);
}

static int
file_lock (sqlite3_file *file, int lock)
{
  return real (file)->pMethods->xLock (real (file), lock);
}

static int
file_unlock (sqlite3_file *file, int lock)
{
  return real (file)->pMethods->xUnlock (real (file), lock);
}

static int
file_check_reserved_lock (sqlite3_file *file, int *out)
{
  return real (file)->pMethods->xCheckReservedLock (real (file), out);
}

static int
file_control (sqlite3_file *file, int op, void *arg)
{
  return real (file)->pMethods->xFileControl (real (file), op, arg);
}

static int
file_sector_size (sqlite3_file *file)
{
  return real (file)->pMethods->xSectorSize (real (file));
}

static int
file_device_characteristics (sqlite3_file *file)
{
  return real (file)->pMethods->xDeviceCharacteristics (real (file));
}

static int
file_shm_map (sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
  return real (file)->pMethods->xShmMap (real (file), page, size, extend, out);
}

static int
file_shm_lock (sqlite3_file *file, int offset, int n, int flags)
{
  return real (file)->pMethods->xShmLock (real (file), offset, n, flags);
}

static void
file_shm_barrier (sqlite3_file *file)
{
  real (file)->pMethods->xShmBarrier (real (file));
}

static int
file_shm_unmap (sqlite3_file *file, int delete_it)
{
  return real (file)->pMethods->xShmUnmap (real (file), delete_it);
}

static const sqlite3_io_methods methods = {
  .iVersion = 2,
  .xClose = file_close,
  .xRead = file_read,
  .xWrite = file_write,
  .xTruncate = file_truncate,
  .xSync = file_sync,
  .xFileSize = file_size,
  .xLock = file_lock,
  .xUnlock = file_unlock,
  .xCheckReservedLock = file_check_reserved_lock,
  .xFileControl = file_control,
  .xSectorSize = file_sector_size,
  .xDeviceCharacteristics = file_device_characteristics,
  .xShmMap = file_shm_map,
  .xShmLock = file_shm_lock,
  .xShmBarrier = file_shm_barrier,
  .xShmUnmap = file_shm_unmap,
};

static int
vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
  sqlite3_vfs *below = vfs->pAppData;
  FaultFile *file = (FaultFile *)base;
  int result;
  file->real = (sqlite3_file *)(file + 1);
  file->counted = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  base->pMethods = NULL;
  if (g_atomic_int_get (&state.fault) == FAULT_READ_ONLY && file->counted)
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  result = below->xOpen (below, name, file->real, flags, out_flags);
  if (result == SQLITE_OK)
    base->pMethods = &methods;
  return result;
}

/* Makes %FAULT_VFS known to SQLite; once per process. */
void
fault_vfs_register (void)
{
  static sqlite3_vfs vfs;
  sqlite3_vfs *below = sqlite3_vfs_find (NULL);
  g_assert_cmpstr (below->zName, ==, "unix");
  vfs = *below;
  vfs.zName = FAULT_VFS;
  vfs.pNext = NULL;
  vfs.pAppData = below;
  vfs.szOsFile = sizeof (FaultFile) + below->szOsFile;
  vfs.xOpen = vfs_open;
  g_assert_cmpint (sqlite3_vfs_register (&vfs, FALSE), ==, SQLITE_OK);
}
