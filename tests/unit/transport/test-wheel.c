/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/wheel.h"

typedef struct
{
  HarkWheelLink link; /* first: a link is cast to its item */
  guint calls;
  guint tick; /* of the last call */
} Item;

typedef struct
{
  HarkWheel wheel;
  guint tick;
  Item *remove;    /* (nullable): taken out by whoever is called first */
  guint add_again; /* ticks; 0: not */
} Fixture;

static void
on_expired (HarkWheelLink *link, gpointer data)
{
  Fixture *fixture = data;
  Item *item = (Item *)link;
  item->calls++;
  item->tick = fixture->tick;
  if (fixture->remove != NULL)
    hark_wheel_remove (&fixture->remove->link);
  if (fixture->add_again > 0)
    hark_wheel_add (&fixture->wheel, link, fixture->add_again);
}

static void
advance (Fixture *fixture, guint ticks)
{
  for (guint i = 0; i < ticks; i++)
    {
      fixture->tick++;
      hark_wheel_advance (&fixture->wheel, on_expired, fixture);
    }
}

static void
test_each_tick (void)
{
  Fixture fixture = { 0 };
  Item items[HARK_WHEEL_SLOTS] = { 0 };
  g_test_summary ("Each is called once, at its tick, wherever the wheel stands.");
  hark_wheel_init (&fixture.wheel);
  advance (&fixture, 40);
  for (guint i = 1; i < HARK_WHEEL_SLOTS; i++)
    hark_wheel_add (&fixture.wheel, &items[i].link, i);
  advance (&fixture, 3 * HARK_WHEEL_SLOTS);
  for (guint i = 1; i < HARK_WHEEL_SLOTS; i++)
    {
      g_assert_cmpuint (items[i].calls, ==, 1);
      g_assert_cmpuint (items[i].tick, ==, 40 + i);
    }
}

static void
test_bounds (void)
{
  Fixture fixture = { 0 };
  Item now = { 0 };
  Item far = { 0 };
  g_test_summary ("0 ticks are as 1, and what is beyond the wheel is called at its end.");
  hark_wheel_init (&fixture.wheel);
  hark_wheel_add (&fixture.wheel, &now.link, 0);
  hark_wheel_add (&fixture.wheel, &far.link, 1000);
  advance (&fixture, 200);
  g_assert_cmpuint (now.tick, ==, 1);
  g_assert_cmpuint (far.tick, ==, HARK_WHEEL_SLOTS - 1);
}

static void
test_move (void)
{
  Fixture fixture = { 0 };
  Item item = { 0 };
  g_test_summary ("What is added again is moved, and what is removed is not called.");
  hark_wheel_init (&fixture.wheel);
  hark_wheel_add (&fixture.wheel, &item.link, 30);
  hark_wheel_add (&fixture.wheel, &item.link, 5);
  advance (&fixture, 100);
  g_assert_cmpuint (item.calls, ==, 1);
  g_assert_cmpuint (item.tick, ==, 5);
  hark_wheel_add (&fixture.wheel, &item.link, 5);
  hark_wheel_remove (&item.link);
  hark_wheel_remove (&item.link);
  advance (&fixture, 100);
  g_assert_cmpuint (item.calls, ==, 1);
}

static void
test_remove_in_call (void)
{
  Fixture fixture = { 0 };
  Item first = { 0 };
  Item second = { 0 };
  g_test_summary ("One that is called may remove another of the same tick.");
  hark_wheel_init (&fixture.wheel);
  hark_wheel_add (&fixture.wheel, &first.link, 3);
  hark_wheel_add (&fixture.wheel, &second.link, 3);
  fixture.remove = &second;
  advance (&fixture, 100);
  g_assert_cmpuint (first.calls, ==, 1);
  g_assert_cmpuint (second.calls, ==, 0);
}

static void
test_add_in_call (void)
{
  Fixture fixture = { 0 };
  Item item = { 0 };
  g_test_summary ("One that is called may add itself again.");
  hark_wheel_init (&fixture.wheel);
  hark_wheel_add (&fixture.wheel, &item.link, 1);
  fixture.add_again = 10;
  advance (&fixture, 100);
  g_assert_cmpuint (item.calls, ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wheel/each-tick", test_each_tick);
  g_test_add_func ("/wheel/bounds", test_bounds);
  g_test_add_func ("/wheel/move", test_move);
  g_test_add_func ("/wheel/remove-in-call", test_remove_in_call);
  g_test_add_func ("/wheel/add-in-call", test_add_in_call);
  return g_test_run ();
}
