/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One daemon to a file. SQLite would let two processes write in turns, but each would keep a hub of its own and tell its
 * clients half of what happens. The lock is the kernel's and goes with the process, however that ends; the lock's file
 * stays, because removing it would let a third process lock a file of the same name.
 */
#include "store/file-lock.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/**
 * hark_file_lock_take:
 * @path: of the database; the lock's file lies beside it
 *
 * Returns: a descriptor that holds the lock until it is closed, or -1 with %HARK_ERROR_CONFLICT (another process has
 *   it) or %HARK_ERROR_INTERNAL
 */
int
hark_file_lock_take (const char *path, GError **error)
{
  g_autofree char *name = g_strconcat (path, "-lock", NULL);
  int fd = open (name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: %s", path, g_strerror (errno));
      return -1;
    }
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  if (errno == EWOULDBLOCK)
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "%s: another process has this store open", path);
  else
    g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: %s", name, g_strerror (errno));
  close (fd);
  return -1;
}
