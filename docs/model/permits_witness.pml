/* SPDX-FileCopyrightText: 2026 Holdfast contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may serve a group when a witness votes: core/cluster/ownership.py and acceptor.py, for one group.
 *
 * Voters are the nodes and the witness. To serve, a node needs its own vote and the witness's, or its own and those of
 * all other nodes. A vote counts OWN ticks from when it was asked for; the voter gives it to nobody else for TAKE ticks
 * from when it heard of the node. README.md: what is left out, and the mistakes that can be planted with -D.
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
#define EPOCHS 3 /* the highest that anybody claims; the group begins at epoch 1, held by node 0 */
#endif
#ifndef CRASHES
#define CRASHES 1 /* restarts of nodes, by power or of the monitor alone */
#endif
#ifndef WITNESS_CRASHES
#define WITNESS_CRASHES 1
#endif

#define WITNESS NODES
#define VOTERS (NODES + 1)
#define NOBODY 7
#define AT(v, i) ((v) * NODES + (i)) /* something of voter v about node i */

/* Registers, durable. A change is on the disk before any message tells of it, so both are one step here. */
byte epoch[VOTERS] = 1;
byte holder[VOTERS];
bit released[VOTERS]; /* the revision within an epoch: its holder has let go */
byte promised[VOTERS] = 1;
byte heir[VOTERS] = NOBODY;

byte lease[VOTERS * NODES]; /* ticks for which the voter gives what the node has to nobody else */
byte vote[VOTERS * NODES];  /* ticks for which the node counts on the voter, and the epoch for which */
byte voted[VOTERS * NODES];
bit serving[NODES];
byte off[NODES] = FENCE;    /* ticks left to be off once the permit has run out */

mtype = { idle, taking, consenting, gathering, asking };
mtype step[NODES] = idle;   /* of a claim under way: volatile */
byte want[NODES];
byte used[NODES];          /* the highest epoch that was claimed in this run: none is claimed twice */
byte source[NODES];         /* the holder that will be asked */
byte got[NODES];            /* peers that have promised, as bits */

/* Messages under way: late without bound, or lost. Ages are the ticks of OWN that are left since the question. */
byte claim[NODES];          /* its epoch; 0: none */
byte claim_source[NODES];
byte claim_age[NODES];
byte grant[NODES];
byte grant_age[NODES];
byte withdrawal[NODES];
#ifdef LATE_VERDICTS
bit verdict[NODES];         /* the answer to a renewal: the epoch for which the witness votes, and its register */
byte verdict_age[NODES];
byte verdict_vote[NODES];
byte verdict_epoch[NODES];
byte verdict_holder[NODES];
bit verdict_released[NODES];
#endif
byte question[NODES * NODES];     /* AT(receiver, sender): "may I have epoch ...?" */
byte question_source[NODES * NODES];
byte answer[NODES * NODES];       /* AT(receiver, sender): "granted: epoch ..." */

byte crashes = CRASHES;
byte witness_crashes = WITNESS_CRASHES;
byte served_epoch = 1;      /* for the property: the last epoch that was served, and by whom */
byte server;
byte u, k; /* scratch, 0 between steps */

/* -- laws ---------------------------------------------------------------------------------------------------------- */

#define LATER(v, e, r) ((e) > epoch[v] || ((e) == epoch[v] && (r) > released[v]))
#define RUNS(v, n) ((n) == (v) || lease[AT(v, n)] > 0)
#define PROMISES(v, k, i) (promised[v] == (k) && promised[v] > epoch[v] && heir[v] == (i))

/* Why voter v has no vote for c at epoch k, when x will be asked to stop (acceptor.objection, ownership.refusal). */
#define REFUSES(v, k, c) ((k) <= epoch[v] || (k) < promised[v] || ((k) == promised[v] && heir[v] != (c)))
#define HEIR_RUNS(v, c) (promised[v] > epoch[v] && heir[v] != NOBODY && heir[v] != (c) && RUNS(v, heir[v]))
#define HOLDER_RUNS(v, c, x) (holder[v] != NOBODY && holder[v] != (c) && holder[v] != (x) && RUNS(v, holder[v]))
#define OBJECTS(v, k, c, x) (REFUSES(v, k, c) || HEIR_RUNS(v, c) || HOLDER_RUNS(v, c, x))

/* The epoch for which voter v votes for node i; 0: for none. */
#define VOTE(v, i) (holder[v] == (i) -> epoch[v] : (heir[v] == (i) && promised[v] > epoch[v] -> promised[v] : 0))

#define COUNTS(i, v) (vote[AT(v, i)] > 0 && voted[AT(v, i)] == epoch[i])
#if NODES == 2
#define ALL_PEERS(i) COUNTS(i, 1 - (i))
#define PEERS(i) (1 << (1 - (i)))
#else
#define ALL_PEERS(i) (COUNTS(i, ((i) + 1) % 3) && COUNTS(i, ((i) + 2) % 3))
#define PEERS(i) (7 - (1 << (i)))
#endif
#define PERMIT(i) (holder[i] == (i) && (COUNTS(i, WITNESS) || ALL_PEERS(i)))

#ifdef OWN_PROMISE_IGNORED
#define OWN_VOTE(i, k, x) ((k) > epoch[i])
#else
#define OWN_VOTE(i, k, x) (!OBJECTS(i, k, i, x))
#endif

/* Whether v believes t that the group is at a later epoch, held by h: t is who holds it now, or held it and has stopped;
 * or that one cannot serve any more. */
#ifdef HEARSAY
#define BELIEVES(v, t, h) true
#else
#define BELIEVES(v, t, h) \
    ((t) == holder[v] || (t) == (h) || holder[v] == v || holder[v] == NOBODY || lease[AT(v, holder[v])] == 0)
#endif

inline write(wv, we, wh, wr) { /* a promise beyond the new epoch is kept, others are settled */
    epoch[wv] = we; holder[wv] = wh; released[wv] = wr;
    if
    :: promised[wv] > epoch[wv]
    :: else -> promised[wv] = epoch[wv]; heir[wv] = NOBODY
    fi
}

inline count_on(cn, cv, ce, ca) { /* voter v told node i that it votes for it */
    if
    :: ce == 0 || ca == 0 || (vote[AT(cv, cn)] > 0 && (ce < voted[AT(cv, cn)] || (ce == voted[AT(cv, cn)] && vote[AT(cv, cn)] >= ca)))
    :: else -> voted[AT(cv, cn)] = ce; vote[AT(cv, cn)] = ca
    fi
}

inline forget_votes(fn) {
    u = 0;
    do
    :: u < VOTERS -> vote[AT(u, fn)] = 0; voted[AT(u, fn)] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline learn(ln, lt, le, lh, lr) { /* node i is told of a register by t */
    if
    :: !LATER(ln, le, lr) || !BELIEVES(ln, lt, lh)
    :: else ->
        if
#ifndef TOLD_BEFORE_THE_STOP
        :: serving[ln] /* first the permit runs out; it is told again */
#endif
        :: !serving[ln] && lh == ln && want[ln] == le && step[ln] != asking /* wait for the answer to the claim */
#ifndef WITHDRAWN_AND_TAKEN
        :: !serving[ln] && lh == ln && !(want[ln] == le && step[ln] != asking) && !PROMISES(ln, le, ln) ->
            write(ln, le, NOBODY, 1) /* it was given up: nobody has it */
#endif
        :: else -> write(ln, le, lh, lr)
        fi
    fi
}

inline settled(sn) { step[sn] = idle; want[sn] = 0; source[sn] = 0; got[sn] = 0 }

inline forget_answers(an) {
    u = 0;
    do
    :: u < NODES -> answer[AT(an, u)] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline give_up(gn) { /* the epoch is not wanted any more, and nobody's */
    if
    :: PROMISES(gn, want[gn], gn) -> heir[gn] = NOBODY
    :: else
    fi;
    if
    :: epoch[gn] == want[gn] && holder[gn] == gn /* it has come by hearsay meanwhile */
    :: else -> withdrawal[gn] = want[gn]
    fi;
    settled(gn);
    claim_age[gn] = 0; grant[gn] = 0; grant_age[gn] = 0; forget_answers(gn) /* they would not be looked at any more */
}

inline stopped(on) { serving[on] = 0; off[on] = FENCE }

inline tell_answer(yn, yt, yk) { /* to node yn, if it still waits for it */
    if
    :: want[yn] == yk && (step[yn] == gathering || step[yn] == asking) -> answer[AT(yn, yt)] = yk
    :: else
    fi
}

inline send_question(qn, qr) { question[AT(qr, qn)] = want[qn]; question_source[AT(qr, qn)] = source[qn] }

/* -- a node -------------------------------------------------------------------------------------------------------- */

#define BEGINS(i, k) (step[i] == idle && !serving[i] && holder[i] != i && (k) <= EPOCHS)
#ifdef EPOCH_CLAIMED_AGAIN
#define NEXT(i) (BEYOND(i) + 1)
#else
#define NEXT(i) ((BEYOND(i) > used[i] -> BEYOND(i) : used[i]) + 1)
#endif
#define BEYOND(i) (promised[i] > epoch[i] -> promised[i] : epoch[i])

inline begin(bn, bh, bk, bx) { step[bn] = bh; want[bn] = bk; used[bn] = bk; source[bn] = bx }
inline send_claim(mn, mx) { claim[mn] = want[mn]; claim_source[mn] = mx; claim_age[mn] = OWN }

inline no_verdict(nn) {
#ifdef LATE_VERDICTS
    verdict[nn] = 0; verdict_age[nn] = 0; verdict_vote[nn] = 0;
    verdict_epoch[nn] = 0; verdict_holder[nn] = 0; verdict_released[nn] = 0
#else
    skip
#endif
}

inline hear_renewal(wn) {
    lease[AT(WITNESS, wn)] = TAKE;
    if
    :: LATER(WITNESS, epoch[wn], released[wn]) && BELIEVES(WITNESS, wn, holder[wn]) ->
        write(WITNESS, epoch[wn], holder[wn], released[wn])
    :: else
    fi
}

inline forget_leases(fv) { /* a voter that has just started takes every lease for fresh */
    u = 0;
    do
#ifdef FORGETS_AT_RESTART
    :: u < NODES -> lease[AT(fv, u)] = 0; u++
#else
    :: u < NODES -> lease[AT(fv, u)] = (u == fv -> 0 : TAKE); u++
#endif
    :: else -> break
    od;
    u = 0;
#ifdef FORGETS_AT_RESTART
    promised[fv] = epoch[fv]; heir[fv] = NOBODY
#endif
}

inline restart(rn) {
    settled(rn);
    no_verdict(rn);
    grant[rn] = 0; grant_age[rn] = 0;
    used[rn] = 0; claim_age[rn] = 0; forget_answers(rn);
    forget_leases(rn)
}

inline keep(pn, pk) { /* the votes it has count on: nobody else can have got the promised epoch */
    u = 0;
    do
    :: u < VOTERS ->
        if
        :: voted[AT(u, pn)] == epoch[pn] && vote[AT(u, pn)] > 0 -> voted[AT(u, pn)] = pk
        :: else
        fi;
        u++
    :: else -> break
    od;
    u = 0;
    write(pn, pk, pn, 0)
}

proctype Node(byte i) {
    do
    /* serving */
    :: d_step { !serving[i] && PERMIT(i) && promised[i] <= epoch[i] ->
        serving[i] = 1;
        assert(epoch[i] > served_epoch || (epoch[i] == served_epoch && server == i));
        served_epoch = epoch[i]; server = i }
    :: d_step { serving[i] && holder[i] == i && promised[i] <= epoch[i] -> /* by the guard or by command; confirmed */
        stopped(i); holder[i] = NOBODY; released[i] = 1 }
    :: d_step { serving[i] && (holder[i] != i || promised[i] > epoch[i]) -> stopped(i) }
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { serving[i] && holder[i] == i && promised[i] <= epoch[i] -> holder[i] = NOBODY; released[i] = 1 }
#endif
    /* the group was promised away: it is passed on after the stop, or kept when the stop fails */
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { holder[i] == i && promised[i] > epoch[i] && heir[i] != NOBODY ->
#else
    :: d_step { !serving[i] && holder[i] == i && promised[i] > epoch[i] && heir[i] != NOBODY ->
#endif
        if
        :: heir[i] != i -> tell_answer(heir[i], i, promised[i]); write(i, promised[i], heir[i], 0)
        :: else -> heir[i] = NOBODY
        fi }
    :: d_step { holder[i] == i && promised[i] > epoch[i] &&
#ifdef KEPT_AT_A_NEW_EPOCH
                promised[i] < EPOCHS -> k = promised[i] + 1; keep(i, k); k = 0 }
#else
                heir[i] != NOBODY -> k = promised[i]; keep(i, k); k = 0 }
#endif

    /* renewals at the witness: heard at once, since later would be a shorter permit and a longer lease; and answered at
     * once, or not at all, or late */
    :: d_step { hear_renewal(i) }
    :: d_step { hear_renewal(i); k = VOTE(WITNESS, i); count_on(i, WITNESS, k, OWN); k = 0;
        learn(i, WITNESS, epoch[WITNESS], holder[WITNESS], released[WITNESS]) }
#ifdef LATE_VERDICTS
    :: d_step { !verdict[i] -> hear_renewal(i); verdict[i] = 1; verdict_age[i] = OWN;
        verdict_vote[i] = VOTE(WITNESS, i); verdict_epoch[i] = epoch[WITNESS];
        verdict_holder[i] = holder[WITNESS]; verdict_released[i] = released[WITNESS] }
    :: d_step { verdict[i] ->
#ifdef COUNTED_FROM_THE_ANSWER
        count_on(i, WITNESS, verdict_vote[i], OWN);
#else
        count_on(i, WITNESS, verdict_vote[i], verdict_age[i]);
#endif
        learn(i, WITNESS, verdict_epoch[i], verdict_holder[i], verdict_released[i]); no_verdict(i) }
    :: d_step { verdict[i] -> no_verdict(i) } /* lost */
#endif

    /* taking without consent: own acceptor sees no holder, or its lease run out */
    :: d_step { BEGINS(i, NEXT(i)) && !OBJECTS(i, NEXT(i), i, NOBODY) ->
        k = NEXT(i); begin(i, taking, k, NOBODY); k = 0; send_claim(i, NOBODY) }
    :: d_step { promised[WITNESS] >= NEXT(i) && BEGINS(i, NEXT(i) + 1) && !OBJECTS(i, NEXT(i) + 1, i, NOBODY) ->
        k = NEXT(i) + 1; begin(i, taking, k, NOBODY); k = 0; send_claim(i, NOBODY) }
    /* a planned move: the witness promises first; or, it being away, everybody */
    :: d_step { BEGINS(i, NEXT(i)) && holder[i] != NOBODY ->
        k = NEXT(i); begin(i, consenting, k, holder[i]); k = 0; send_claim(i, holder[i]) }
    :: d_step { BEGINS(i, NEXT(i)) -> k = NEXT(i); begin(i, gathering, k, holder[i]); k = 0 }

    :: d_step { grant[i] && grant[i] == want[i] && step[i] == taking ->
        count_on(i, WITNESS, grant[i], grant_age[i]);
        if
        :: OWN_VOTE(i, want[i], NOBODY) -> write(i, want[i], i, 0); settled(i)
        :: else -> give_up(i)
        fi;
        grant[i] = 0; grant_age[i] = 0 }
    :: d_step { grant[i] && grant[i] == want[i] && step[i] == consenting ->
        count_on(i, WITNESS, grant[i], grant_age[i]);
        if
        :: OWN_VOTE(i, want[i], source[i]) ->
            promised[i] = want[i]; heir[i] = i; step[i] = asking; send_question(i, source[i])
        :: else -> give_up(i)
        fi;
        grant[i] = 0; grant_age[i] = 0 }
    :: d_step { grant[i] -> grant[i] = 0; grant_age[i] = 0 } /* lost, or late */
    :: d_step { step[i] == gathering && (got[i] | (source[i] == NOBODY -> 0 : 1 << source[i])) == PEERS(i) ->
        if
        :: OWN_VOTE(i, want[i], source[i]) && source[i] == NOBODY -> write(i, want[i], i, 0); settled(i)
        :: OWN_VOTE(i, want[i], source[i]) && source[i] != NOBODY ->
            promised[i] = want[i]; heir[i] = i; step[i] = asking; got[i] = 0; send_question(i, source[i])
        :: else -> give_up(i)
        fi }
    :: d_step { step[i] != idle -> give_up(i) }
    /* a promise to itself, found after a restart */
    :: d_step { step[i] == idle && promised[i] > epoch[i] && heir[i] == i ->
        withdrawal[i] = promised[i]; heir[i] = NOBODY }

    /* restarts: the disk is kept; nothing that was under way is known any more. By power, or the monitor alone, while
     * the guard keeps its deadline. */
    :: d_step { crashes > 0 -> crashes--; restart(i); forget_votes(i); stopped(i) }
    :: d_step { crashes > 0 && serving[i] -> crashes--; restart(i) }
    od
}

/* -- between two nodes --------------------------------------------------------------------------------------------- */

inline heartbeat(ti, tj) { /* it renews the lease there */
    lease[AT(tj, ti)] = TAKE
}

inline hear_question(hj, hi) {
    if
    :: epoch[hj] == question[AT(hj, hi)] && holder[hj] == hi -> tell_answer(hi, hj, question[AT(hj, hi)])
    :: holder[hj] == hj && question_source[AT(hj, hi)] == hj && !REFUSES(hj, question[AT(hj, hi)], hi) ->
        promised[hj] = question[AT(hj, hi)]; heir[hj] = hi /* answered after the stop */
    :: !(epoch[hj] == question[AT(hj, hi)] && holder[hj] == hi) && holder[hj] != hj && !serving[hj] &&
       !OBJECTS(hj, question[AT(hj, hi)], hi, question_source[AT(hj, hi)]) ->
        promised[hj] = question[AT(hj, hi)]; heir[hj] = hi; tell_answer(hi, hj, question[AT(hj, hi)])
    :: else
    fi;
    question[AT(hj, hi)] = 0; question_source[AT(hj, hi)] = 0
}

proctype Link(byte i, j) {
    do
    /* heartbeats: with news of the register or without, echoed or not */
    :: d_step { heartbeat(i, j) }
    :: d_step { heartbeat(i, j); k = VOTE(j, i); count_on(i, j, k, OWN); k = 0 }
    :: d_step { LATER(j, epoch[i], released[i]) -> heartbeat(i, j); learn(j, i, epoch[i], holder[i], released[i]) }
    :: d_step { LATER(j, epoch[i], released[i]) ->
        heartbeat(i, j); learn(j, i, epoch[i], holder[i], released[i]); k = VOTE(j, i); count_on(i, j, k, OWN); k = 0 }

    /* node i asks j for the group, or for its promise */
    :: d_step { step[i] == gathering && source[i] != j && !question[AT(j, i)] -> send_question(i, j) }
    :: d_step { step[i] == asking && source[i] == j && !question[AT(j, i)] -> send_question(i, j) }
    :: d_step { question[AT(j, i)] -> hear_question(j, i) }
    :: d_step { question[AT(j, i)] -> question[AT(j, i)] = 0; question_source[AT(j, i)] = 0 } /* lost */
    :: d_step { answer[AT(i, j)] ->
        if
        :: step[i] == gathering && answer[AT(i, j)] == want[i] -> got[i] = got[i] | (1 << j)
        :: step[i] == asking && answer[AT(i, j)] == want[i] && source[i] == j ->
            if
            :: PROMISES(i, want[i], i) -> write(i, want[i], i, 0); settled(i)
            :: else -> give_up(i)
            fi
        :: else
        fi;
        answer[AT(i, j)] = 0 } /* lost with its question */
    od
}

/* -- the witness --------------------------------------------------------------------------------------------------- */

inline give_grant(zn) { /* if the node still waits for it */
    if
    :: want[zn] == claim[zn] && (step[zn] == taking || step[zn] == consenting) ->
        grant[zn] = claim[zn]; grant_age[zn] = claim_age[zn]
    :: else
    fi
}

inline hear_claim(kn) {
    lease[AT(WITNESS, kn)] = TAKE;
#ifndef EPOCH_CLAIMED_AGAIN
    if
    :: withdrawal[kn] >= claim[kn] -> withdrawal[kn] = 0 /* of an earlier run, which is not listened to any more */
    :: else
    fi;
#endif
    if
    :: epoch[WITNESS] == claim[kn] && holder[WITNESS] == kn -> give_grant(kn)
    :: !OBJECTS(WITNESS, claim[kn], kn, claim_source[kn]) && claim_source[kn] == NOBODY ->
        write(WITNESS, claim[kn], kn, 0); give_grant(kn)
    :: !OBJECTS(WITNESS, claim[kn], kn, claim_source[kn]) && claim_source[kn] != NOBODY ->
        promised[WITNESS] = claim[kn]; heir[WITNESS] = kn; give_grant(kn)
    :: else
    fi;
    claim[kn] = 0; claim_source[kn] = 0; claim_age[kn] = 0
}

inline hear_withdrawal(dn) {
    if
    :: epoch[WITNESS] == withdrawal[dn] && holder[WITNESS] == dn -> holder[WITNESS] = NOBODY; released[WITNESS] = 1
    :: PROMISES(WITNESS, withdrawal[dn], dn) -> heir[WITNESS] = NOBODY
    :: else
    fi;
    withdrawal[dn] = 0
}

proctype Mail(byte i) { /* from node i to the witness */
    do
    :: d_step { claim[i] -> hear_claim(i) }
    :: d_step { withdrawal[i] -> hear_withdrawal(i) }
    :: d_step { claim[i] -> claim[i] = 0; claim_source[i] = 0; claim_age[i] = 0 } /* lost */
    :: d_step { withdrawal[i] -> withdrawal[i] = 0 }
    od
}

/* -- time, and what must hold ---------------------------------------------------------------------------------------- */

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
            run_down(claim_age[u]); run_down(grant_age[u]);
#ifdef LATE_VERDICTS
            run_down(verdict_age[u]);
#endif
            u++
        :: else -> break
        od;
        u = 0;
        do
        :: u < VOTERS * NODES ->
            run_down(lease[u]); run_down(vote[u]);
            if
            :: vote[u] == 0 -> voted[u] = 0
            :: else
            fi;
            u++
        :: else -> break
        od;
        u = 0 }
    :: d_step { witness_crashes > 0 -> witness_crashes--; forget_leases(WITNESS) }
    od
}

init {
    atomic {
        serving[0] = 1;
        u = 1;
        do
        :: u < VOTERS -> lease[AT(u, 0)] = TAKE; vote[AT(u, 0)] = OWN; voted[AT(u, 0)] = 1; u++
        :: else -> break
        od;
        u = 0;
        run Clock();
        run Node(0); run Node(1); run Mail(0); run Mail(1); run Link(0, 1); run Link(1, 0);
#if NODES == 3
        run Node(2); run Mail(2); run Link(0, 2); run Link(2, 0); run Link(1, 2); run Link(2, 1);
#endif
    }
    do
    :: assert(AT_MOST_ONE)
    od
}
