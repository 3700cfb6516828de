/* SPDX-FileCopyrightText: 2026 Holdfast contributors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who may serve a group when a witness votes: core/cluster/{ownership,acceptor,permits}.py and core/moves/election.py, for
 * one group.
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
#ifndef CLAIMANTS
#define CLAIMANTS NODES /* nodes below this number want the group; the others only vote */
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
byte revision[VOTERS];
byte holder[VOTERS];
byte promised[VOTERS] = 1;
byte heir[VOTERS] = NOBODY;

/* What voters know of nodes, forgotten at a restart: whether they were told of the register as it is now, and the highest
 * epoch that the node abandoned. And for how long they give what the node has to nobody else. */
bit told[VOTERS * NODES];
byte abandoned[NODES];      /* at the witness */
byte lease[VOTERS * NODES];

/* What nodes make of it: for how many ticks, and at which epoch, a voter may be counted on. */
byte vote[VOTERS * NODES];
byte voted[VOTERS * NODES];
byte permit[NODES];         /* the guard's deadline: it never gets shorter */
byte off[NODES] = FENCE;    /* ticks left to be off once it is reached */
bit serving[NODES];

mtype = { idle, taking, consenting, gathering, asking };
mtype step[NODES] = idle;   /* of a claim under way */
byte want[NODES];
byte source[NODES];         /* the holder that will be asked */
byte got[NODES];            /* peers that have promised, as bits */

/* Messages under way: late without bound, or lost. Ages are the ticks of OWN that are left since the question. */
byte claim[NODES];          /* its epoch; 0: none */
byte claim_source[NODES];
byte claim_age[NODES];
byte grant[NODES];
byte grant_age[NODES];
byte question[NODES * NODES];     /* AT(receiver, sender): "may I have epoch ...?" */
byte question_source[NODES * NODES];
byte answer[NODES * NODES];       /* AT(receiver, sender): "granted: epoch ..." */
#ifdef LATE_VERDICTS
bit verdict[NODES];         /* the answer to a renewal: whether the witness stands by the node; if not, its register */
byte verdict_age[NODES];
bit verdict_stands[NODES];
byte verdict_epoch[NODES];
byte verdict_revision[NODES];
byte verdict_holder[NODES];
#endif

byte crashes = CRASHES;
byte witness_crashes = WITNESS_CRASHES;
byte served_epoch = 1;      /* for the property: the last epoch that was served, and by whom */
byte server;
byte u, k;                  /* scratch, 0 between steps */

/* -- laws ---------------------------------------------------------------------------------------------------------- */

#define LATER(v, e, r) ((e) > epoch[v] || ((e) == epoch[v] && (r) > revision[v]))
#define RUNS(v, n) ((n) == (v) || lease[AT(v, n)] > 0)
#define PROMISES(v, x, i) (promised[v] == (x) && promised[v] > epoch[v] && heir[v] == (i))
#define BEYOND(v) (promised[v] > epoch[v] -> promised[v] : epoch[v])
#define ABANDONED(n, x) (heir[n] == NOBODY && epoch[n] < (x) && (x) <= promised[n])

/* Why voter v has no vote for c at epoch x, when s will be asked to stop (ownership.refusal, acceptor.objection). */
#define REFUSES(v, x, c) ((x) <= epoch[v] || (x) < promised[v] || ((x) == promised[v] && heir[v] != (c)))
#define HEIR_RUNS(v, c) (promised[v] > epoch[v] && heir[v] != NOBODY && heir[v] != (c) && RUNS(v, heir[v]))
#define HOLDER_RUNS(v, c, s) (holder[v] != NOBODY && holder[v] != (c) && holder[v] != (s) && RUNS(v, holder[v]))
#define OBJECTS(v, x, c, s) (REFUSES(v, x, c) || HEIR_RUNS(v, c) || HOLDER_RUNS(v, c, s))

/* The epoch at which node i has the group or is promised it, and the one for which voter v stands by it; 0: none. */
#define HERE(i) (PROMISES(i, promised[i], i) -> promised[i] : (holder[i] == (i) -> epoch[i] : 0))
#define STANDS(v, i) \
    ((holder[v] == (i) && epoch[v] == HERE(i)) || (epoch[v] < HERE(i) && PROMISES(v, HERE(i), i)))
/* Whether the witness, told of i's register as it is, knows that the group is another's (Voter.compare). */
#define LOST(i) \
    (epoch[WITNESS] > epoch[i] || (epoch[WITNESS] == epoch[i] && revision[WITNESS] > revision[i]) || \
     (PROMISES(i, promised[i], i) && promised[i] > epoch[WITNESS] && !PROMISES(WITNESS, promised[i], i)))

#define HOLDS(i) (holder[i] == (i) && promised[i] <= epoch[i])
#define COUNTS(i, v) (voted[AT(v, i)] == epoch[i] -> vote[AT(v, i)] : 0)
/* PROMPT: leases are kept only of nodes to which one matters. Shorter ones than there are let others take sooner. */
#define HAS(v, i) (holder[v] == (i) || (heir[v] == (i) && promised[v] > epoch[v]))
#if defined(PROMPT) && NODES == 3
#define LEASE(i) (HAS(0, i) || HAS(1, i) || HAS(2, i) || HAS(3, i) -> TAKE : 0)
#else
#define LEASE(i) TAKE
#endif
#define LEAST(a, b) ((a) < (b) -> (a) : (b))
#define MOST(a, b) ((a) > (b) -> (a) : (b))
#if NODES == 2
#define BY_PEERS(i) COUNTS(i, 1 - (i))
#define PEERS(i) (1 << (1 - (i)))
#else
#define BY_PEERS(i) LEAST(COUNTS(i, ((i) + 1) % 3), COUNTS(i, ((i) + 2) % 3))
#define PEERS(i) (7 - (1 << (i)))
#endif
#define PERMIT(i) (holder[i] == (i) -> MOST(COUNTS(i, WITNESS), BY_PEERS(i)) : 0)

#ifdef OWN_PROMISE_IGNORED
#define OWN_VOTE(i, x, s) ((x) > epoch[i])
#else
#define OWN_VOTE(i, x, s) (!OBJECTS(i, x, i, s))
#endif

inline changed(xn) { /* node xn's register: nobody was told of it as it is now */
    u = 0;
    do
    :: u < VOTERS -> told[AT(u, xn)] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline extend(xn) { /* the permit is as long as the votes that are in make it, and never gets shorter */
    if
    :: PERMIT(xn) > permit[xn] -> permit[xn] = PERMIT(xn)
    :: else
    fi
}

inline write(wv, we, wr, wh) { /* a promise beyond the new epoch is kept, others are settled */
    epoch[wv] = we; revision[wv] = wr; holder[wv] = wh;
    if
    :: promised[wv] > epoch[wv]
    :: else -> promised[wv] = epoch[wv]; heir[wv] = NOBODY
    fi
}

inline node_write(nn, ne, nr, nh) {
    extend(nn);
    write(nn, ne, nr, nh);
    changed(nn);
    extend(nn)
}

inline promise(pv, pe, pn) { promised[pv] = pe; heir[pv] = pn }

inline release(rn) { revision[rn] = revision[rn] + 1; holder[rn] = NOBODY }

inline abandon(bn, be) { /* node bn shall not use epoch be; what it promised to another stays */
    if
#ifndef PROMISE_BROKEN
    :: heir[bn] != NOBODY && heir[bn] != bn && promised[bn] > epoch[bn]
#endif
    :: else ->
        extend(bn);
        if
        :: be > promised[bn] -> promised[bn] = be
        :: else
        fi;
        heir[bn] = NOBODY;
        changed(bn)
    fi
}

inline count_on(cn, cv, ce, ca) { /* voter cv stands by node cn at epoch ce, asked when ca ticks of OWN were left */
    if
    :: ce == 0 || ca == 0 ||
       (vote[AT(cv, cn)] > 0 && (ce < voted[AT(cv, cn)] || (ce == voted[AT(cv, cn)] && vote[AT(cv, cn)] >= ca)))
    :: else -> voted[AT(cv, cn)] = ce; vote[AT(cv, cn)] = ca
    fi;
    extend(cn)
}

inline learn_peer(ln, lt) { /* node ln is told of the register of lt (ownership.abandoned_by, learn) */
    if
    :: holder[ln] == lt && ABANDONED(lt, epoch[ln]) -> extend(ln); release(ln); changed(ln)
    :: !(holder[ln] == lt && ABANDONED(lt, epoch[ln])) && heir[ln] == lt && ABANDONED(lt, promised[ln]) ->
        heir[ln] = NOBODY; changed(ln)
    :: else
    fi;
    if
    :: !LATER(ln, epoch[lt], revision[lt])
#ifndef TOLD_BEFORE_THE_STOP
    :: LATER(ln, epoch[lt], revision[lt]) && serving[ln] /* first it stops; it is told again */
#endif
#ifndef HEARSAY
    :: LATER(ln, epoch[lt], revision[lt]) && !serving[ln] && holder[lt] == ln && holder[ln] != ln &&
       !PROMISES(ln, epoch[lt], ln) ->
        abandon(ln, epoch[lt]) /* nobody becomes the holder without its own vote */
#endif
    :: else -> node_write(ln, epoch[lt], revision[lt], holder[lt])
    fi
}

inline learn_witness(mn, me, mr, mh) { /* node mn is told of the witness's register (Leasing._learn) */
    if
    :: !LATER(mn, me, mr)
#ifndef TOLD_BEFORE_THE_STOP
    :: LATER(mn, me, mr) && serving[mn] && mh != mn && !(HOLDS(mn) && permit[mn] > 0)
#endif
#ifndef HEARSAY
    :: LATER(mn, me, mr) && mh == mn && (step[mn] == taking || step[mn] == consenting)
    :: LATER(mn, me, mr) && mh == mn && !(step[mn] == taking || step[mn] == consenting) -> abandon(mn, me)
#endif
    :: LATER(mn, me, mr) && mh != mn && HOLDS(mn) && permit[mn] > 0 /* stands on its peers */
#ifdef EPOCH_MADE_UP
        ->
        if
        :: mh == NOBODY && me < EPOCHS -> k = me + 1; carry(mn, k); node_write(mn, k, 0, mn); k = 0
        :: else
        fi
#endif
    :: else -> node_write(mn, me, mr, mh)
    fi
}

inline carry(yn, ye) { /* those that stand by the node go on doing so when it alone changes its epoch */
    u = 0;
    do
    :: u < VOTERS ->
        if
        :: voted[AT(u, yn)] == epoch[yn] && vote[AT(u, yn)] > 0 -> voted[AT(u, yn)] = ye
        :: else
        fi;
        u++
    :: else -> break
    od;
    u = 0
}

inline settled(sn) { step[sn] = idle; want[sn] = 0; source[sn] = 0; got[sn] = 0 }

inline forget_answers(an) { /* to questions that are not asked any more: they would not be looked at */
    claim_age[an] = 0; grant[an] = 0; grant_age[an] = 0;
#ifdef PROMPT
    claim[an] = 0; claim_source[an] = 0;
#endif
    u = 0;
    do
    :: u < NODES -> answer[AT(an, u)] = 0; u++
    :: else -> break
    od;
    u = 0
}

inline give_up(gn) {
    if
    :: epoch[gn] < want[gn] -> abandon(gn, want[gn])
    :: else
    fi;
    settled(gn);
    forget_answers(gn)
}

inline tell_answer(tn, tt, tk) { /* to node tn, if it still waits for it */
    if
    :: want[tn] == tk && (step[tn] == gathering || step[tn] == asking) -> answer[AT(tn, tt)] = tk
    :: else
    fi
}

inline ask(qn, qr) { question[AT(qr, qn)] = want[qn]; question_source[AT(qr, qn)] = source[qn] }

inline forget_leases(fv) { /* a voter that has just started takes every lease for fresh */
    u = 0;
    do
#ifdef FORGETS_AT_RESTART
    :: u < NODES -> lease[AT(fv, u)] = 0; told[AT(fv, u)] = 0; u++
#else
    :: u < NODES -> lease[AT(fv, u)] = (u == fv -> 0 : TAKE); told[AT(fv, u)] = 0; u++
#endif
    :: else -> break
    od;
    u = 0;
#ifdef FORGETS_AT_RESTART
    promised[fv] = epoch[fv]; heir[fv] = NOBODY
#endif
}

/* -- the witness --------------------------------------------------------------------------------------------------- */

inline hear_renewal(wn) {
    lease[AT(WITNESS, wn)] = LEASE(wn);
    if
    :: holder[WITNESS] == wn && ABANDONED(wn, epoch[WITNESS]) -> release(WITNESS)
    :: !(holder[WITNESS] == wn && ABANDONED(wn, epoch[WITNESS])) && heir[WITNESS] == wn &&
       ABANDONED(wn, promised[WITNESS]) -> heir[WITNESS] = NOBODY
    :: else
    fi;
    if
    :: LATER(WITNESS, epoch[wn], revision[wn]) -> write(WITNESS, epoch[wn], revision[wn], holder[wn])
    :: else
    fi;
    told[AT(WITNESS, wn)] = 1;
    abandoned[wn] = (heir[wn] == NOBODY && promised[wn] > epoch[wn] -> promised[wn] : 0)
}

inline give_grant(zn) { /* if the node still waits for it */
    if
    :: want[zn] == claim[zn] && (step[zn] == taking || step[zn] == consenting) ->
        grant[zn] = claim[zn]; grant_age[zn] = claim_age[zn]
    :: else
    fi
}

inline hear_claim(hn) {
    lease[AT(WITNESS, hn)] = TAKE;
    if
    :: epoch[WITNESS] == claim[hn] && holder[WITNESS] == hn -> give_grant(hn)
    :: claim[hn] > abandoned[hn] && !OBJECTS(WITNESS, claim[hn], hn, claim_source[hn]) && claim_source[hn] == NOBODY ->
        write(WITNESS, claim[hn], 0, hn); give_grant(hn)
    :: claim[hn] > abandoned[hn] && !OBJECTS(WITNESS, claim[hn], hn, claim_source[hn]) && claim_source[hn] != NOBODY ->
        promise(WITNESS, claim[hn], hn); give_grant(hn)
    :: else
    fi;
    claim[hn] = 0; claim_source[hn] = 0; claim_age[hn] = 0
}

/* -- a node -------------------------------------------------------------------------------------------------------- */

#define BEGINS(i, x) (i < CLAIMANTS && step[i] == idle && !serving[i] && holder[i] != i && (x) <= EPOCHS)
#define NEXT(i) (BEYOND(i) + 1)

inline begin(dn, dh, dk, ds) { step[dn] = dh; want[dn] = dk; source[dn] = ds }
inline send_claim(en, es) { claim[en] = want[en]; claim_source[en] = es; claim_age[en] = OWN }
inline stopped(on) { serving[on] = 0; off[on] = FENCE }

inline no_verdict(vn) {
#ifdef LATE_VERDICTS
    verdict[vn] = 0; verdict_age[vn] = 0; verdict_stands[vn] = 0;
    verdict_epoch[vn] = 0; verdict_revision[vn] = 0; verdict_holder[vn] = 0
#else
    skip
#endif
}

inline restart(jn) { /* the disk is kept; what was under way is not known any more */
    settled(jn); no_verdict(jn); forget_answers(jn); forget_leases(jn); changed(jn);
    u = 0;
    do
    :: u < VOTERS -> vote[AT(u, jn)] = 0; voted[AT(u, jn)] = 0; u++
    :: else -> break
    od;
    u = 0
}

proctype Node(byte i) {
    do
    /* serving */
    :: d_step { !serving[i] && HOLDS(i) && permit[i] > 0 && PERMIT(i) > 0 ->
        serving[i] = 1;
        assert(epoch[i] > served_epoch || (epoch[i] == served_epoch && server == i));
        served_epoch = epoch[i]; server = i }
    :: d_step { serving[i] && HOLDS(i) -> stopped(i); release(i); changed(i) } /* confirmed; by the guard or by command */
    :: d_step { serving[i] && !HOLDS(i) -> stopped(i) }
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { serving[i] && HOLDS(i) -> release(i); changed(i) }
#endif
    /* the group was promised away: it is passed on after the stop, or kept when the stop fails */
#ifdef RELEASED_BEFORE_THE_STOP
    :: d_step { holder[i] == i && promised[i] > epoch[i] && heir[i] != NOBODY && heir[i] != i ->
#else
    :: d_step { !serving[i] && holder[i] == i && promised[i] > epoch[i] && heir[i] != NOBODY && heir[i] != i ->
#endif
        tell_answer(heir[i], i, promised[i]); node_write(i, promised[i], 0, heir[i]) }
#ifdef EPOCH_MADE_UP
    :: d_step { holder[i] == i && promised[i] > epoch[i] && promised[i] < EPOCHS ->
        k = promised[i] + 1; carry(i, k); node_write(i, k, 0, i); k = 0 }
#else
    :: d_step { holder[i] == i && promised[i] > epoch[i] && heir[i] != NOBODY ->
        k = promised[i]; carry(i, k); node_write(i, k, 0, i); k = 0 }
#endif

    /* renewals at the witness: heard at once, since later would be a shorter permit and a longer lease; and answered at
     * once, or not at all, or late */
    :: d_step { lease[AT(WITNESS, i)] < TAKE || !told[AT(WITNESS, i)] -> hear_renewal(i) }
    :: d_step { hear_renewal(i);
        k = (LOST(i) -> 0 : HERE(i));
        count_on(i, WITNESS, k, OWN);
        if
        :: k == 0 && LOST(i) -> k = 0; learn_witness(i, epoch[WITNESS], revision[WITNESS], holder[WITNESS])
        :: else
        fi;
        k = 0 }
#ifdef LATE_VERDICTS
    :: d_step { !verdict[i] -> hear_renewal(i);
        verdict[i] = 1; verdict_age[i] = OWN;
        if
        :: LOST(i) -> verdict_epoch[i] = epoch[WITNESS]; verdict_revision[i] = revision[WITNESS];
            verdict_holder[i] = holder[WITNESS]
        :: else -> verdict_stands[i] = 1
        fi }
    :: d_step { verdict[i] ->
        k = (verdict_stands[i] && told[AT(WITNESS, i)] -> HERE(i) : 0);
#ifdef COUNTED_FROM_THE_ANSWER
        count_on(i, WITNESS, k, OWN);
#else
        count_on(i, WITNESS, k, verdict_age[i]);
#endif
        k = 0;
        if
        :: !verdict_stands[i] -> learn_witness(i, verdict_epoch[i], verdict_revision[i], verdict_holder[i])
        :: else
        fi;
        no_verdict(i) }
    :: d_step { verdict[i] -> no_verdict(i) } /* lost */
#endif

#ifndef PLANNED_ONLY
    /* taking it: here nobody holds it, or its holder's lease has run out */
    :: d_step { BEGINS(i, NEXT(i)) && !OBJECTS(i, NEXT(i), i, NOBODY) ->
        k = NEXT(i); begin(i, taking, k, NOBODY); k = 0; send_claim(i, NOBODY) }
    :: d_step { promised[WITNESS] >= NEXT(i) && BEGINS(i, NEXT(i) + 1) && !OBJECTS(i, NEXT(i) + 1, i, NOBODY) ->
        k = NEXT(i) + 1; begin(i, taking, k, NOBODY); k = 0; send_claim(i, NOBODY) }
#endif
#ifndef TAKEN_ONLY
    /* a planned move: the witness promises first; or, it being away, everybody else */
    :: d_step { BEGINS(i, NEXT(i)) && holder[i] != NOBODY ->
        k = NEXT(i); begin(i, consenting, k, holder[i]); k = 0; send_claim(i, holder[i]) }
    :: d_step { BEGINS(i, NEXT(i)) && holder[i] != NOBODY ->
        k = NEXT(i); begin(i, gathering, k, holder[i]); k = 0 }
#endif

    :: d_step { grant[i] && grant[i] == want[i] && step[i] == taking ->
        if
        :: OWN_VOTE(i, want[i], NOBODY) ->
            node_write(i, want[i], 1, i); count_on(i, WITNESS, grant[i], grant_age[i]); settled(i)
        :: else -> give_up(i)
        fi;
        grant[i] = 0; grant_age[i] = 0 }
    :: d_step { grant[i] && grant[i] == want[i] && step[i] == consenting ->
        if
        :: OWN_VOTE(i, want[i], source[i]) ->
            promise(i, want[i], i); changed(i); count_on(i, WITNESS, grant[i], grant_age[i]);
            step[i] = asking; ask(i, source[i])
        :: else -> give_up(i)
        fi;
        grant[i] = 0; grant_age[i] = 0 }
    :: d_step { grant[i] -> grant[i] = 0; grant_age[i] = 0 } /* lost */
    :: d_step { step[i] == gathering && (got[i] | (1 << source[i])) == PEERS(i) ->
        if
        :: OWN_VOTE(i, want[i], source[i]) ->
            promise(i, want[i], i); changed(i); step[i] = asking; got[i] = 0; ask(i, source[i])
        :: else -> give_up(i)
        fi }
    :: d_step { step[i] != idle -> give_up(i) }

    /* restarts: by power, or of the monitor alone while the guard keeps its deadline */
    :: d_step { crashes > 0 -> crashes--; restart(i); permit[i] = 0; stopped(i) }
    :: d_step { crashes > 0 && serving[i] -> crashes--; restart(i) }
    :: d_step { step[i] == idle && PROMISES(i, promised[i], i) -> k = promised[i]; abandon(i, k); k = 0 } /* found then */
    od
}

proctype Mail(byte i) { /* claims on their way from node i to the witness */
    do
    :: d_step { claim[i] -> hear_claim(i) }
    :: d_step { claim[i] -> claim[i] = 0; claim_source[i] = 0; claim_age[i] = 0 } /* lost */
    od
}

/* -- between two nodes --------------------------------------------------------------------------------------------- */

inline tell(bi, bj) { /* News */
    learn_peer(bj, bi); told[AT(bj, bi)] = 1
}

inline hear_news(vi, vj) {
    if
    :: !told[AT(vj, vi)] -> tell(vi, vj)
    :: else
    fi
}

inline echo(ei, ej) { /* it counts when the peer was told of the register as it is, or has promised; and stands by it */
    k = (STANDS(ej, ei) && (told[AT(ej, ei)] || heir[ej] == ei) -> HERE(ei) : 0);
    count_on(ei, ej, k, OWN);
    k = 0
}

inline hear_question(gj, gi) {
    if
    :: epoch[gj] == question[AT(gj, gi)] && holder[gj] == gi -> tell_answer(gi, gj, question[AT(gj, gi)])
    :: step[gj] == idle && holder[gj] == gj && !REFUSES(gj, question[AT(gj, gi)], gi) && !HEIR_RUNS(gj, gi) ->
        promise(gj, question[AT(gj, gi)], gi); changed(gj) /* answered after the stop */
    :: step[gj] == idle && holder[gj] != gj && !serving[gj] && !(epoch[gj] == question[AT(gj, gi)] && holder[gj] == gi) &&
       !OBJECTS(gj, question[AT(gj, gi)], gi, question_source[AT(gj, gi)]) ->
        promise(gj, question[AT(gj, gi)], gi); changed(gj); tell_answer(gi, gj, question[AT(gj, gi)])
    :: else
    fi;
    question[AT(gj, gi)] = 0; question_source[AT(gj, gi)] = 0
}

proctype Link(byte i, j) {
    do
    /* heartbeats renew the lease; with News of the register or without, echoed or not */
#ifdef PROMPT
    :: d_step { lease[AT(j, i)] < LEASE(i) || !told[AT(j, i)] -> lease[AT(j, i)] = LEASE(i); hear_news(i, j) }
    :: d_step { lease[AT(j, i)] = LEASE(i); hear_news(i, j); echo(i, j) }
#else
    :: d_step { lease[AT(j, i)] < TAKE -> lease[AT(j, i)] = TAKE }
    :: d_step { lease[AT(j, i)] = TAKE; echo(i, j) }
    :: d_step { !told[AT(j, i)] -> lease[AT(j, i)] = TAKE; tell(i, j) }
#endif

    /* node i asks j for the group, or for its promise */
    :: d_step { step[i] == gathering && source[i] != j && !question[AT(j, i)] -> ask(i, j) }
    :: d_step { step[i] == asking && source[i] == j && !question[AT(j, i)] -> ask(i, j) }
    :: d_step { question[AT(j, i)] -> hear_question(j, i) }
    :: d_step { question[AT(j, i)] -> question[AT(j, i)] = 0; question_source[AT(j, i)] = 0 } /* lost */
    :: d_step { answer[AT(i, j)] ->
        if
        :: step[i] == gathering && answer[AT(i, j)] == want[i] -> got[i] = got[i] | (1 << j)
        :: step[i] == asking && answer[AT(i, j)] == want[i] && source[i] == j ->
            if
            :: PROMISES(i, want[i], i) || (epoch[i] == want[i] && holder[i] == i) ->
                node_write(i, want[i], 1, i); settled(i)
            :: else -> give_up(i)
            fi
        :: else
        fi;
        answer[AT(i, j)] = 0 }
    od
}

/* -- time, and what must hold ---------------------------------------------------------------------------------------- */

#define LATE(i) (serving[i] && permit[i] == 0 && off[i] <= 1) /* it has to be off before this tick */
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
            :: serving[u] && permit[u] == 0 -> off[u]--
            :: else -> off[u] = FENCE
            fi;
            run_down(permit[u]); run_down(claim_age[u]); run_down(grant_age[u]);
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
    :: d_step { witness_crashes > 0 -> witness_crashes--; forget_leases(WITNESS);
        u = 0;
        do
        :: u < NODES -> abandoned[u] = 0; u++
        :: else -> break
        od;
        u = 0 }
    od
}

init {
    atomic {
        serving[0] = 1; permit[0] = OWN;
        u = 1;
        do
        :: u < VOTERS -> lease[AT(u, 0)] = TAKE; told[AT(u, 0)] = 1; vote[AT(u, 0)] = OWN; voted[AT(u, 0)] = 1; u++
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
