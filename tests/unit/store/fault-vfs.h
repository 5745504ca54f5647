/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FAULT_VFS "hark-fault"

typedef enum
{
  FAULT_NONE,
  FAULT_FULL,      /* writes: no space */
  FAULT_WRITE,     /* writes: I/O error */
  FAULT_SYNC,      /* fsync: I/O error */
  FAULT_READ,      /* reads: I/O error */
  FAULT_READ_ONLY, /* as after a remount: writes fail, and files open for reading only */
  N_FAULTS
} Fault;

void fault_vfs_register (void);
void fault_vfs_fail (Fault fault, guint after, guint times);
guint fault_vfs_get_hits (void);

G_END_DECLS
