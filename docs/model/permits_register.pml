/* SPDX-FileCopyrightText: 2026 Holdfast contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may serve a group when a store of records is the arbiter (etcd, a share): core/cluster/observed.py, for one group.
 *
 * The store only reads and swaps: a swap puts several records if all it names are as they were. A node renews its lease
 * by swapping its own record; that counts OWN ticks from when the swap was sent. Whoever wants to take from another times,
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
#define EPOCHS 3 /* the highest that anybody asks for; the group begins at epoch 1, held by node 0 */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

#define NOBODY 7
#define AT(o, i) ((o) * NODES + (i)) /* what node o knows of node i */
#define NOW(i) ((i) * 2)             /* the swap that a node waits for, */
#define OLD(i) ((i) * 2 + 1)         /* and, with LATE_SWAPS, one that it has given up: it may take effect still */

/* The store: the register. Of the nodes' records only matters whether they are as somebody saw them. */
byte epoch = 1;
byte holder;
byte promised;             /* above epoch: heir may have it, once the holder has passed it on */
byte heir = NOBODY;

/* What a node knows of the store, forgotten at a restart. */
bit same[NODES * NODES];   /* node i's record is as node o saw it last, */
byte age[NODES * NODES];   /* and ticks until o may take i's lease for run out */
bit sure[NODES];           /* no swap of its own was given up since the node read last */
bit current[NODES];        /* the register is as the node saw it last: */
byte seen_epoch[NODES];
byte seen_holder[NODES] = NOBODY;
byte seen_promised[NODES];
byte seen_heir[NODES] = NOBODY;

/* A node's own register, durable. */
byte mine[NODES];          /* the epoch at which it has the group; 0: it has it not */
byte hoped[NODES];         /* the epoch that it was promised and wants still */
byte away[NODES];          /* the epoch that it agreed to pass on, and later passed on; and to whom */
byte away_to[NODES] = NOBODY;

byte vote[NODES];          /* ticks for which the node may count on the store, and the epoch for which */
byte voted[NODES];
byte off[NODES] = FENCE;
bit serving[NODES];

mtype = { none, renew, take, wish, tell };
mtype swap[NODES * 2] = none;
bit own_same[NODES * 2];   /* what the swap expects: the node's own record, */
bit from_same[NODES * 2];  /* that of the node it takes from, */
byte from[NODES * 2] = NOBODY;
bit register_same[NODES * 2]; /* and the register */
byte swap_age[NODES];      /* ticks of OWN that are left since it was sent */
mtype answer[NODES] = none; /* the swap that is waited for was done; the register names the node at this epoch then */
byte answer_vote[NODES];
bit answer_same[NODES];    /* the node's record is as it was then */

byte question[NODES];      /* of the node, to the holder: pass this epoch on to me */
byte passed[NODES];        /* to the node: it is yours */
byte crashes = CRASHES;
byte served_epoch = 1;
byte server;
byte u, k;                 /* scratch */

#define PERMIT(i) (mine[i] > 0 && voted[i] == mine[i] && vote[i] > 0)
#define NAMED(i) (holder == (i) -> epoch : (heir == (i) && promised > epoch -> promised : 0))
#define BEYOND(e, p) ((p) > (e) -> (p) : (e))
#define LAPSED(o, i) ((i) == NOBODY || (i) == (o) || age[AT(o, i)] == 0) /* by what o saw, which may be old */
#define SEEN_NEXT(i) (BEYOND(seen_epoch[i], seen_promised[i]) + 1)
#define HEIR_FREE(i) (seen_promised[i] <= seen_epoch[i] || seen_heir[i] == NOBODY || seen_heir[i] == i)
#define WAITS(i) (swap[NOW(i)] != none || answer[i] != none)

inline changes(cn) { /* node cn's record: whoever relies on the old one has to look again */
    u = 0;
    do
    :: u < NODES -> same[AT(u, cn)] = 0; u++
    :: else -> break
    od;
    u = 0;
    do
    :: u < NODES * 2 ->
        if
        :: from[u] == cn -> from_same[u] = 0
        :: else
        fi;
        u++
    :: else -> break
    od;
    u = 0;
    own_same[NOW(cn)] = 0; own_same[OLD(cn)] = 0; answer_same[cn] = 0
}

inline register_changes() {
    u = 0;
    do
    :: u < NODES -> current[u] = 0; register_same[NOW(u)] = 0; register_same[OLD(u)] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline read(rn) { /* a record that is not as it was seen before is timed anew, from now */
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
    sure[rn] = 1; current[rn] = 1; seen_epoch[rn] = epoch; seen_holder[rn] = holder; seen_promised[rn] = promised; seen_heir[rn] = heir
}

inline no_swap(ns) { swap[ns] = none; own_same[ns] = 0; from_same[ns] = 0; from[ns] = NOBODY; register_same[ns] = 0 }

inline send(sn, sw, sf) {
    swap[NOW(sn)] = sw; own_same[NOW(sn)] = same[AT(sn, sn)]; register_same[NOW(sn)] = current[sn]; swap_age[sn] = OWN;
    if
    :: sf == NOBODY || sf == sn -> from[NOW(sn)] = NOBODY; from_same[NOW(sn)] = 1
    :: else -> from[NOW(sn)] = sf; from_same[NOW(sn)] = same[AT(sn, sf)]
    fi
}

inline forget_swap(gn) { /* it is not waited for any more */
#ifdef LATE_SWAPS
    swap[OLD(gn)] = swap[NOW(gn)]; own_same[OLD(gn)] = own_same[NOW(gn)]; from_same[OLD(gn)] = from_same[NOW(gn)];
    from[OLD(gn)] = from[NOW(gn)]; register_same[OLD(gn)] = register_same[NOW(gn)];
#endif
    no_swap(NOW(gn)); swap_age[gn] = 0; sure[gn] = 0
}

#ifdef TAKEN_WITHOUT_ITS_RECORD
#define TAKES(s) (own_same[s] && register_same[s])
#else
#define TAKES(s) (own_same[s] && register_same[s] && from_same[s])
#endif

inline effect(en, es) { /* the swap of node en in place es reaches the store; k: it was done */
    k = 1;
    if
    :: swap[es] == renew && own_same[es]
    :: swap[es] == take && TAKES(es) ->
        epoch = BEYOND(epoch, promised) + 1; holder = en; promised = 0; heir = NOBODY;
        register_changes();
#ifndef TAKEN_WITHOUT_ITS_RECORD
        if
        :: from[es] != NOBODY -> k = from[es]; changes(k); k = 1
        :: else
        fi
#endif
    :: swap[es] == wish && own_same[es] && register_same[es] ->
        promised = BEYOND(epoch, promised) + 1; heir = en; register_changes()
    :: swap[es] == tell && own_same[es] && register_same[es] ->
        if
        :: mine[en] > epoch -> epoch = mine[en]; holder = en
        :: mine[en] <= epoch && away[en] > epoch && !mine[en] -> epoch = away[en]; holder = away_to[en]
        :: mine[en] <= epoch && !(away[en] > epoch) && holder == en && !mine[en] -> holder = NOBODY
        :: else
        fi;
        if
        :: heir == en && !hoped[en] -> heir = NOBODY
        :: else
        fi;
        register_changes()
    :: else -> k = 0
    fi;
    if
    :: k -> changes(en)
    :: else
    fi;
    if
    :: k && es == NOW(en) -> answer[en] = swap[es]; answer_vote[en] = NAMED(en); answer_same[en] = 1
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
inline stopped(on) { serving[on] = 0; off[on] = FENCE }

#if NODES == 2
#define STALE(i) (!sure[i] || !current[i] || !same[AT(i, 0)] || !same[AT(i, 1)])
#else
#define STALE(i) (!sure[i] || !current[i] || !same[AT(i, 0)] || !same[AT(i, 1)] || !same[AT(i, 2)])
#endif
#define MAY_ASK(i) (!WAITS(i) && sure[i] && seen_epoch[i])
#define WANTS(i) (MAY_ASK(i) && !mine[i] && !serving[i] && SEEN_NEXT(i) <= EPOCHS && HEIR_FREE(i))

proctype Node(byte i) {
    do
    /* serving; released or passed on after a confirmed stop */
    :: d_step { !serving[i] && PERMIT(i) && !away[i] ->
        serving[i] = 1;
        assert(mine[i] > served_epoch || (mine[i] == served_epoch && server == i));
        served_epoch = mine[i]; server = i }
    :: d_step { serving[i] ->
        stopped(i); mine[i] = 0;
        if
        :: away[i] -> k = away_to[i]; passed[k] = away[i]; k = 0
        :: else
        fi }
    :: d_step { !serving[i] && mine[i] && away[i] -> mine[i] = 0; k = away_to[i]; passed[k] = away[i]; k = 0 }
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { serving[i] && mine[i] -> mine[i] = 0 }
#endif

    /* the store: reads are at once, swaps take effect late or never */
    :: d_step { STALE(i) -> read(i) }
    :: d_step { MAY_ASK(i) -> send(i, renew, NOBODY) }
    :: d_step { MAY_ASK(i) && seen_holder[i] == i && !mine[i] -> send(i, tell, NOBODY) }
    :: d_step { MAY_ASK(i) && (mine[i] > seen_epoch[i] || (!mine[i] && away[i] > seen_epoch[i])) ->
        send(i, tell, NOBODY) }
    :: d_step { MAY_ASK(i) && seen_heir[i] == i && !hoped[i] -> send(i, tell, NOBODY) }
    :: d_step { swap[NOW(i)] != none -> effect(i, NOW(i)) }
    :: d_step { swap[NOW(i)] != none -> forget_swap(i) }
#ifdef LATE_SWAPS
    :: d_step { swap[OLD(i)] != none -> effect(i, OLD(i)) }
    :: d_step { swap[OLD(i)] != none -> no_swap(OLD(i)) }
#endif
    :: d_step { answer[i] != none ->
#ifdef COUNTED_FROM_THE_ANSWER
        count_on(i, answer_vote[i], OWN);
#else
        count_on(i, answer_vote[i], swap_age[i]);
#endif
        if
        :: answer_same[i] -> same[AT(i, i)] = 1
        :: else
        fi;
        if
        :: answer[i] == take && !mine[i] -> mine[i] = answer_vote[i]
        :: answer[i] == wish -> hoped[i] = answer_vote[i]
        :: else
        fi;
        no_answer(i) }
    :: d_step { answer[i] != none -> no_answer(i); sure[i] = 0 } /* lost */
    :: d_step { away[i] && !mine[i] && seen_epoch[i] >= away[i] -> away[i] = 0; away_to[i] = NOBODY }

    /* taking it: nobody has it, or the lease of whoever has it was seen to run out */
    :: d_step { WANTS(i) && !hoped[i] && !away[i] && seen_holder[i] != i && LAPSED(i, seen_holder[i]) ->
        k = seen_holder[i]; send(i, take, k); k = 0 }
    /* a planned move: promised in the store first; then the holder is asked */
    :: d_step { WANTS(i) && !hoped[i] && !away[i] && seen_holder[i] != NOBODY && seen_holder[i] != i -> send(i, wish, NOBODY) }
    :: d_step { hoped[i] && !question[i] -> question[i] = hoped[i] }
    :: d_step { question[i] -> question[i] = 0 } /* lost */
    :: d_step { hoped[i] -> hoped[i] = 0 } /* given up */
    :: d_step { passed[i] ->
        if
        :: passed[i] == hoped[i] -> mine[i] = hoped[i]; hoped[i] = 0
        :: else
        fi;
        passed[i] = 0 }
    :: d_step { passed[i] -> passed[i] = 0 } /* lost */

    :: d_step { crashes > 0 -> crashes--;
        u = 0;
        do
        :: u < NODES ->
#ifdef FORGETS_AT_RESTART
            same[AT(i, u)] = 1; age[AT(i, u)] = 0;
#else
            same[AT(i, u)] = 0; age[AT(i, u)] = (u == i -> 0 : TAKE);
#endif
            u++
        :: else -> break
        od;
        u = 0;
        sure[i] = 0; current[i] = 0; seen_epoch[i] = 0; seen_holder[i] = NOBODY; seen_promised[i] = 0; seen_heir[i] = NOBODY;
        no_answer(i); vote[i] = 0; voted[i] = 0; stopped(i);
        if
        :: swap[NOW(i)] != none -> forget_swap(i)
        :: else
        fi }
    od
}

proctype Asked(byte i, j) { /* node j hears node i's question */
    do
    :: d_step { question[i] && mine[j] && question[i] > mine[j] && !away[j] -> away[j] = question[i]; away_to[j] = i; question[i] = 0 }
    od
}

#define LATE(i) (serving[i] && !PERMIT(i) && off[i] <= 1) /* it has to be off before this tick */
#if NODES == 2
#define NOBODY_LATE (!LATE(0) && !LATE(1))
#define AT_MOST_ONE (serving[0] + serving[1] <= 1)
#else
#define NOBODY_LATE (!LATE(0) && !LATE(1) && !LATE(2))
#define AT_MOST_ONE (serving[0] + serving[1] + serving[2] <= 1)
#endif

inline run_down(counter) {
    if
    :: counter > 0 -> counter--
    :: else
    fi
}

proctype Clock() {
    do
    :: d_step { NOBODY_LATE ->
        u = 0;
        do
        :: u < NODES ->
            if
            :: serving[u] && !PERMIT(u) -> off[u]--
            :: else -> off[u] = FENCE
            fi;
            run_down(swap_age[u]); run_down(vote[u]);
            if
            :: vote[u] == 0 -> voted[u] = 0
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0;
        do
        :: u < NODES * NODES -> run_down(age[u]); u++
        :: else -> break
        od;
        u = 0 }
    od
}

init {
    atomic {
        serving[0] = 1; mine[0] = 1; vote[0] = OWN; voted[0] = 1;
        u = 0;
        do
        :: u < NODES * NODES -> age[u] = TAKE; u++
        :: else -> break
        od;
        u = 0;
        run Clock(); run Node(0); run Node(1); run Asked(0, 1); run Asked(1, 0);
#if NODES == 3
        run Node(2); run Asked(0, 2); run Asked(2, 0); run Asked(1, 2); run Asked(2, 1);
#endif
    }
    do
    :: assert(AT_MOST_ONE)
    od
}
