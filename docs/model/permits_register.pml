/* SPDX-FileCopyrightText: 2026 Holdfast contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may serve a group when a store of records is the arbiter (etcd, a share): core/cluster/observed.py, for one group.
 *
 * The store only reads and swaps: a swap puts several records if all it names are as they were. A node renews its lease
 * by swapping its own record; it counts OWN ticks from when the swap was sent. Whoever wants to take from another times,
 * from when it received what it saw, for how long that node's record does not change: TAKE ticks. It takes in one swap
 * with the register and both nodes' records. No clock of the store is believed. README.md has the mistakes to plant.
 */

#ifndef NODES
#define NODES 2
#endif
#ifndef OWN
#define OWN 1
#endif
#ifndef FENCE
#define FENCE 1
#endif
#ifndef TAKE
#define TAKE 2
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define NOBODY 7
#define AT(o, i) ((o) * NODES + (i)) /* what node o knows of node i */

/* The store: the group's register. Of the nodes' records only matters whether they are as somebody saw them. */
byte epoch = 1;
byte holder;
byte promised;              /* 0, or the epoch that heir may have when the holder has passed it on */
byte heir = NOBODY;

/* What a node knows of the store, forgotten at a restart. */
bit same[NODES * NODES];    /* node i's record is as node o saw it last */
byte age[NODES * NODES];    /* ticks until node o may take node i's lease for run out */
bit current[NODES];         /* the register is as the node saw it last: */
byte seen_epoch[NODES];
byte seen_holder[NODES];
byte seen_promised[NODES];
byte seen_heir[NODES];

/* The node's own register, durable: what it has, and what it has promised to pass on. */
byte mine[NODES];           /* the epoch at which it has the group; 0: it has it not */
byte away[NODES];           /* the epoch that it agreed to pass on; 0: none */
byte away_to[NODES] = NOBODY;
byte passed[NODES];         /* what it passed on, to be told to the store: the epoch, */
byte passed_to[NODES] = NOBODY; /* and whom */

byte vote[NODES];           /* ticks for which the node may count on the store, */
byte voted[NODES];          /* and the epoch for which */
byte off[NODES] = FENCE;
bit serving[NODES];

/* One swap of each node under way, and one that it has given up waiting for; either takes effect late, or never. */
mtype = { none, renew, take, want, let_go };
mtype swap[NODES * 2] = none;      /* [i * 2]: under way; [i * 2 + 1]: given up */
bit swap_own[NODES * 2];           /* the node's own record is as the swap expects it */
bit swap_other[NODES * 2];         /* the same of the record of the node from which it takes, */
byte swap_from[NODES * 2] = NOBODY;
bit swap_register[NODES * 2];      /* and of the register */
byte swap_age[NODES];              /* ticks of OWN that are left since it was sent */
mtype answer[NODES] = none;        /* the swap under way was done, ... */
byte answer_vote[NODES];           /* and the epoch for which the register names the node then; 0: none */
bit answer_same[NODES];            /* the node's record is as it was then */

byte question[NODES];              /* to the holder: pass the epoch on to me */
byte crashes = CRASHES;
byte served_epoch = 1;
byte server;
byte u, k;                         /* scratch */

#define PERMIT(i) (vote[i] > 0 && voted[i] == mine[i] && mine[i] > 0)
#define NAMED(i) (holder == (i) -> epoch : (heir == (i) -> promised : 0))
#define LAPSED(o, i) ((i) == NOBODY || (i) == (o) || (same[AT(o, i)] && age[AT(o, i)] == 0))

inline changes(cn) { /* node cn's record is another: whoever relied on the old one has to look again */
    u = 0;
    do
    :: u < NODES -> same[AT(u, cn)] = 0; u++
    :: else -> break
    od;
    u = 0;
    do
    :: u < NODES * 2 ->
        if
        :: u / 2 == cn -> swap_own[u] = 0
        :: u / 2 != cn && swap_from[u] == cn -> swap_other[u] = 0
        :: else
        fi;
        u++
    :: else -> break
    od;
    u = 0;
    answer_same[cn] = 0
}

inline register_changes() {
    u = 0;
    do
    :: u < NODES -> current[u] = 0; swap_register[u * 2] = 0; swap_register[u * 2 + 1] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline read(rn) { /* a snapshot; a record that was not as it was seen before is timed anew, from now */
    u = 0;
    do
    :: u < NODES ->
        if
        :: !same[AT(rn, u)] -> same[AT(rn, u)] = 1; age[AT(rn, u)] = (u == rn -> 0 : TAKE)
        :: else
        fi;
        u++
    :: else -> break
    od;
    u = 0;
    current[rn] = 1; seen_epoch[rn] = epoch; seen_holder[rn] = holder;
    seen_promised[rn] = promised; seen_heir[rn] = heir
}

inline no_swap(ns) { swap[ns] = none; swap_own[ns] = 0; swap_other[ns] = 0; swap_from[ns] = NOBODY; swap_register[ns] = 0 }

inline send(sn, what, from) {
    swap[sn * 2] = what; swap_own[sn * 2] = same[AT(sn, sn)]; swap_register[sn * 2] = current[sn];
    swap_from[sn * 2] = from;
    if
    :: from == NOBODY || from == sn -> swap_other[sn * 2] = 1; swap_from[sn * 2] = NOBODY
    :: else -> swap_other[sn * 2] = same[AT(sn, from)]
    fi;
    swap_age[sn] = OWN
}

#ifdef TAKEN_WITHOUT_ITS_RECORD
#define STANDS(s) (swap_own[s] && swap_register[s])
#else
#define STANDS(s) (swap_own[s] && swap_register[s] && swap_other[s])
#endif

/* The swap in place s, of node en, reaches the store; ex tells whether the node still waits for it. */
inline effect(en, es, ex) {
    if
    :: swap[es] == renew && swap_own[es] -> changes(en); k = 1
    :: swap[es] == take && STANDS(es) ->
        k = swap_from[es];
        epoch++; holder = en; promised = 0; heir = NOBODY; register_changes();
        if
        :: k != NOBODY -> changes(k)
        :: else
        fi;
        changes(en); k = 1
    :: swap[es] == want && STANDS(es) -> promised = epoch + 1; heir = en; register_changes(); changes(en); k = 1
    :: swap[es] == let_go && swap_own[es] && swap_register[es] ->
        if
        :: passed[en] > epoch -> epoch = passed[en]; holder = passed_to[en]; promised = 0; heir = NOBODY
        :: else -> holder = NOBODY
        fi;
        register_changes(); changes(en); k = 1
    :: else -> k = 0
    fi;
    if
    :: ex && k -> answer[en] = swap[es]; answer_vote[en] = NAMED(en); answer_same[en] = 1
    :: else
    fi;
    k = 0;
    no_swap(es)
}

inline count_on(vn, ve, va) {
    if
    :: ve == 0 || va == 0 || (vote[vn] > 0 && (ve < voted[vn] || (ve == voted[vn] && vote[vn] >= va)))
    :: else -> voted[vn] = ve; vote[vn] = va
    fi
}

inline no_answer(an) { answer[an] = none; answer_vote[an] = 0; answer_same[an] = 0; swap_age[an] = 0 }

#define FREE(i) (swap[i * 2] == none && answer[i] == none)
#define IDLE(i) (FREE(i) && mine[i] == 0 && !serving[i] && away[i] == 0 && passed[i] == 0)

proctype Node(byte i) {
    do
    /* serving */
    :: d_step { !serving[i] && PERMIT(i) && away[i] == 0 ->
        serving[i] = 1;
        assert(mine[i] > served_epoch || (mine[i] == served_epoch && server == i));
        served_epoch = mine[i]; server = i }
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { serving[i] && FREE(i) && away[i] == 0 && seen_epoch[i] == mine[i] && seen_holder[i] == i -> send(i, let_go, NOBODY) }
#endif
    :: d_step { serving[i] -> serving[i] = 0; off[i] = FENCE; /* confirmed: by the guard, by command, or to pass it on */
        if
        :: away[i] -> passed[i] = away[i]; passed_to[i] = away_to[i]; mine[i] = 0; away[i] = 0; away_to[i] = NOBODY
        :: else -> mine[i] = 0; passed[i] = NOBODY
        fi }
    :: d_step { !serving[i] && mine[i] && away[i] ->
        passed[i] = away[i]; passed_to[i] = away_to[i]; mine[i] = 0; away[i] = 0; away_to[i] = NOBODY }
    /* what it has not any more is told to the store, unless that is known there already */
    :: d_step { FREE(i) && passed[i] && seen_holder[i] == i && (passed[i] == NOBODY || passed[i] > seen_epoch[i]) ->
        if
        :: passed[i] == NOBODY -> passed[i] = 0
        :: else
        fi;
        send(i, let_go, NOBODY) }
    :: d_step { passed[i] && current[i] && seen_holder[i] != i -> passed[i] = 0; passed_to[i] = NOBODY }

    /* the store: reading is at once, a swap takes effect late */
    :: d_step { !current[i] || !same[AT(i, i)] || !same[AT(i, 1 - i)] -> read(i) }
    :: d_step { FREE(i) && same[AT(i, i)] -> send(i, renew, NOBODY) }
    :: d_step { swap[i * 2] != none -> effect(i, i * 2, 1) }
    :: d_step { swap[i * 2] != none -> /* given up: it may take effect all the same */
        swap[i * 2 + 1] = swap[i * 2]; swap_own[i * 2 + 1] = swap_own[i * 2]; swap_other[i * 2 + 1] = swap_other[i * 2];
        swap_from[i * 2 + 1] = swap_from[i * 2]; swap_register[i * 2 + 1] = swap_register[i * 2];
        no_swap(i * 2); swap_age[i] = 0; same[AT(i, i)] = 0; current[i] = 0 }
    :: d_step { swap[i * 2 + 1] != none -> effect(i, i * 2 + 1, 0) }
    :: d_step { swap[i * 2 + 1] != none -> no_swap(i * 2 + 1) } /* lost */
    :: d_step { answer[i] != none ->
#ifdef COUNTED_FROM_THE_ANSWER
        count_on(i, answer_vote[i], OWN);
#else
        count_on(i, answer_vote[i], swap_age[i]);
#endif
        same[AT(i, i)] = answer_same[i];
        if
        :: answer[i] == take && answer_vote[i] -> mine[i] = answer_vote[i]
        :: else
        fi;
        no_answer(i) }
    :: d_step { answer[i] != none -> no_answer(i) } /* lost: the next read tells */

    /* taking it, when nobody has it or the lease of whoever has it was seen to run out */
    :: d_step { IDLE(i) && current[i] && same[AT(i, i)] && seen_epoch[i] < EPOCHS && seen_promised[i] == 0 &&
                LAPSED(i, seen_holder[i]) ->
        send(i, take, seen_holder[i]) }
    /* a planned move: promised in the store, then the holder is asked, stops, and passes it on */
    :: d_step { IDLE(i) && current[i] && same[AT(i, i)] && seen_epoch[i] < EPOCHS && seen_promised[i] == 0 &&
                seen_holder[i] != NOBODY && seen_holder[i] != i -> send(i, want, NOBODY) }
    :: d_step { IDLE(i) && seen_heir[i] == i && seen_promised[i] && !question[i] -> question[i] = seen_promised[i] }
    :: d_step { question[i] -> question[i] = 0 } /* lost, or given up */

    :: d_step { crashes > 0 -> crashes--; /* the disk is kept */
        u = 0;
        do
        :: u < NODES -> same[AT(i, u)] = 0; age[AT(i, u)] = 0; u++
        :: else -> break
        od;
        u = 0;
        current[i] = 0; seen_epoch[i] = 0; seen_holder[i] = NOBODY; seen_promised[i] = 0; seen_heir[i] = NOBODY;
        serving[i] = 0; off[i] = FENCE; vote[i] = 0; voted[i] = 0; no_answer(i);
        if
        :: swap[i * 2] != none ->
            swap[i * 2 + 1] = swap[i * 2]; swap_own[i * 2 + 1] = swap_own[i * 2]; swap_other[i * 2 + 1] = swap_other[i * 2];
            swap_from[i * 2 + 1] = swap_from[i * 2]; swap_register[i * 2 + 1] = swap_register[i * 2];
            no_swap(i * 2)
        :: else
        fi }
    od
}
