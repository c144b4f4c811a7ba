#!/usr/bin/env python3
"""Serving speed of self-hosted language models: closed-form physics, constants fitted on published rows, grouped cross-validation.

  python3 serving_fit.py MEASUREMENTS.json ARCHITECTURES.json GPUS.json [--quick]

Prints in-sample and cross-validated scores, constants with their range over the folds, shrunk factors, the interval rule, the score of the
layout search, TTFT and TPOT, and the regimes that took no part in the fit. --quick skips the cross-validation. numpy only.
"""
import argparse, collections, json
from multiprocessing import Pool
import numpy as np

WBYTES = {'bf16': 2.0, 'fp16': 2.0, 'fp8': 1.0, 'int8': 1.0, 'nvfp4': 0.5625, 'mxfp4': 0.53, 'int4': 0.53, 'q4_k_m': 0.606}
BAR = ('offline_max', 'fixed_concurrency', 'server_slo')
GROUP_SD = dict(gpu=.08, fam=.08, eng=.10)

# name: (start, low, high, sd of the prior on its logarithm)
PRIOR = dict(
    g_bf16=(0.65, .2, .98, .4), g_fp8=(0.60, .15, .98, .4), g_fp4=(0.50, .1, .98, .4), attn=(0.40, .1, .9, .5),
    bw_w=(0.78, .3, .98, .2), bw_kv=(0.70, .2, .98, .3),
    layer_us=(20., .5, 100., 1.), moe_us=(20., .5, 150., 1.), mla_us=(15., .5, 150., 1.), lin_us=(15., .5, 150., 1.),
    ar_us=(6., 1., 60., .7), pcie_x=(3., 1., 20., .5), link=(0.60, .15, 1., .4),
    host_ms=(1.0, .05, 10., 1.), seq_us=(5., .1, 60., 1.), py=(2., .3, 10., .7),
    moe_eff=(0.5, .1, 1., .4), tile=(16., 1., 128., .7), mtile=(32., 1., 128., .7), wsave=(0.1, .02, 1., 1.), bub=(0.05, .005, .3, .7), ract=(1.0, .1, 6., .5), req_ms=(2., .05, 30., 1.), w4=(0.8, .3, 1.2, .3),
    wexp=(400., 10., 4000., 1.), wden=(300., 10., 4000., 1.), imb=(0.4, .05, 2., .7), skew=(0.1, .01, 1., .7), adp=(0.1, .005, 1., .7), lat_tp=(1.3, .5, 4., .5), srv=(0.93, .6, 1., .1), q_us=(5., .2, 60., 1.), lx_sgl=(1., .3, 3., .4), lx_cpp=(1., .3, 3., .4), drift=(1.1, .8, 1.6, .2), e4=(1., .5, 2., .25), d4=(1., .5, 2., .2),
    mem=(0.92, .85, .97, .05), reserve=(4., 1., 8., .4), 
    elem=(8., .5, 60., 1.), sm=(3., 1.2, 8., .3), p99=(1.3, 1.0, 2.0, .2), mix=(0.5, .05, 1.0, .5), cap=(1024., 128., 4096., .5))


def linear_params(a):
    d, h = a['hidden'], a['heads']
    if a['attention'] == 'mla':
        m = a['mla']
        att = d*m['q_lora'] + m['q_lora']*h*(m['nope_dim']+m['rope_dim']) + d*(m['kv_lora']+m['rope_dim']) \
            + m['kv_lora']*h*(m['nope_dim']+m['v_dim']) + h*m['v_dim']*d
    else:
        att = 2*d*h*a['head_dim'] + 2*d*a['kv_heads']*a['head_dim']
    mlp = (3 if a['gated_mlp'] else 2)*d*a['ffn']
    m = a['moe']
    ex = 3*d*m['expert_ffn'] if m else 0
    sh = 3*d*m['shared_ffn']*m['shared_experts'] if m else 0
    return att, mlp, ex, sh


def layouts(a, n):
    out = []
    for tp in (1, 2, 4, 8):
        for pp in ((1, 2, 4, 8)):
            for dp in (1, 2, 4, 8, 16, 24, 36, 72):
                if tp*dp*pp > n or n % (tp*dp*pp) or tp > a['heads']: continue
                if dp > 1 and (not a['moe'] or tp > 1 or pp > 1): continue
                if pp > 1 and a['layers'] < 8*pp: continue
                out.append((tp, pp, dp if dp > 1 else (tp if a['moe'] else 1), dp))
    return out


def row_layouts(a, r, free=False):
    if free or r['tp'] is None:
        return [(l, r['n_gpus']//(l[0]*l[1]*l[3])) for l in layouts(a, r['n_gpus'])]
    tp, pp, dp = r['tp'], r['pp'] or 1, r['attn_dp'] or 1
    ep = r['ep'] or (tp*dp if a['moe'] else 1)
    rep = max(1, r['n_gpus']//(tp*pp*dp))
    out = [((tp, pp, ep, dp), rep)]
    if a['moe'] and not r['ep'] and r['engine'] == 'trtllm' and tp > 1: out = [((1, pp, tp*dp, tp*dp), rep)]   # attention data parallel, says the source
    return out


VERSION = {('trtllm', '1.0'): 2025.6, ('sglang', '0.5.6'): 2025.9, ('sglang', '0.5.1.'): 2025.65, ('sglang', '0.5.9'): 2026.2, ('vllm', '0.12.'): 2025.9}


def year(r):
    """years since mid 2025; by version where the source has no date"""
    if r['date']:
        p = str(r['date']).split('-'); y = int(p[0]) + (int(p[1])-.5)/12 if len(p) > 1 else int(p[0])+.5
    else:
        v = str(r['engine_version']); y = next((t for (e, q), t in VERSION.items() if e == r['engine'] and v.startswith(q)), 2025.5)
    return y-2025.5


class Data:
    """columns, one per (row, layout); `row` says which row"""
    def __init__(s, rows, A, G, free=False):
        s.rows = rows
        c = {}
        def put(k, v): c.setdefault(k, []).append(v)
        for i, r in enumerate(rows):
            a, g = A[r['model']], G[r['gpu']]
            t = g['dense_tflops']
            q = r['weight_quant']
            bf, f8, f4 = t['bf16'] or t['fp16'], t['fp8'], t['fp4']
            if q == 'nvfp4': kind, peak = (2, f4) if f4 else (0, bf)
            elif q == 'mxfp4': kind, peak = (1, f8) if f4 else (0, bf)
            elif q in ('fp8', 'int8') and f8: kind, peak = 1, f8
            else: kind, peak = 0, bf
            kvq = r.get('kv_quant') or ('bf16' if q in ('bf16', 'int4', 'q4_k_m', 'mxfp4') else 'fp8' if r['engine'] == 'trtllm' else 'bf16')
            m = a['moe']; mla = a.get('mla') if a['attention'] == 'mla' else None
            att, mlp, ex, sh = linear_params(a)
            v = str(r.get('engine_version') or '')
            cpp = r['engine'] == 'llama.cpp' or (r['engine'] == 'trtllm' and (v.startswith('0.') or 'TensorRT' in v or 'MLPerf' in r['source']))
            for (tp, pp, ep, dp), rep in row_layouts(a, r, free):
                put('row', i)
                for k, x in dict(isl=max(1, r['isl_mean']), osl=max(1, r['osl_mean']), C=r['concurrency'] or 0, rep=rep, tp=tp, pp=pp, ep=ep, dp=dp,
                                 bf16=bf*1e12, peak=peak*1e12, kind=kind, bw=g['memory_bandwidth_gbs']*1e9, mem=g['memory_bytes'], link=g['peer_gbs_one_way']*1e9,
                                 dom=g['fast_domain_gpus'], tdp=g['tdp_w'], L=a['layers'], d=a['hidden'], h=a['heads'], g=a['kv_heads'], hd=a['head_dim'] or 128, V=a['vocab'],
                                 tied=1 if a['tied_embeddings'] else 2, att=att, mlp=mlp, ex=ex, sh=sh, moe=1 if m else 0, E=m['experts'] if m else 1, k=m['top_k'] if m else 1,
                                 fe=m['expert_ffn'] if m else 1, nsh=m['shared_experts'] if m else 0,
                                 dl=m['dense_layers'] if m else a['layers'], ml=m['moe_layers'] if m else 0, mla=1 if mla else 0,
                                 kvw=(mla['kv_lora']+mla['rope_dim']) if mla else 2*a['kv_heads']*(a['head_dim'] or 128), kvl=mla['kv_lora'] if mla else 0, rope=mla['rope_dim'] if mla else 0,
                                 vd=mla['v_dim'] if mla else (a['head_dim'] or 128), qkd=(mla['nope_dim']+mla['rope_dim']) if mla else (a['head_dim'] or 128),
                                 lin=a.get('linear_attention', {}).get('layers', 0), lstate=(lambda z: z['value_heads']*z['key_dim']*z['value_dim']*2 if z else 0)(a.get('linear_attention')),
                                 win=(a['window'] or {}).get('size', 0), nwin=(a['window'] or {}).get('windowed_layers', 0), sparse=(a.get('sparse_attention') or {}).get('top_k', 0),
                                 wb=WBYTES[q], awb=2.0 if q == 'mxfp4' else (1.0 if (q in ('nvfp4', 'int4') and m) else WBYTES[q]), embb=0.8 if q == 'q4_k_m' else 2.0,
                                 kvb=1.0 if kvq == 'fp8' else 2.0, q4=1.0 if q == 'int4' else 0.0, cpp=cpp, eng=r['engine'], year=year(r),
                                 slo=(r['slo'] or {}).get('tpot_p99_ms', 0)/1e3 if r['slo'] else 0, slot=(r['slo'] or {}).get('ttft_p99_ms', 0)/1e3 if r['slo'] else 0,
                                 reg=r['regime']).items(): put(k, x)
        for k, v in c.items():
            setattr(s, k, np.array(v) if isinstance(v[0], (str, bool, np.bool_)) else np.array(v, float))
        s.row = s.row.astype(int)
        s.n = s.tp*s.dp
        s.G = s.tp*s.dp*s.pp
        s.bar = np.isin(s.reg, BAR)

    def take(s, ix):
        o = object.__new__(Data); o.rows = s.rows
        for k, v in s.__dict__.items():
            if isinstance(v, np.ndarray): setattr(o, k, v[ix])
        return o


def smax(p, *x):
    return sum(y**p for y in x)**(1/p)


def kv_layers(D, ctx):
    full = D.L - D.lin
    nw = np.minimum(D.nwin, full)
    return (full-nw) + nw*np.minimum(1, D.win/np.maximum(ctx, 1))


def linkbw(D, n): return np.where(n <= D.dom, D.link, 50e9)


def passes(P, D, T, B, ctx, prefill):
    """seconds of one forward pass of T tokens of a replica, in parts; decode: T = B sequences at context ctx"""
    tk = T/D.dp
    eta = np.select([D.kind == 0, D.kind == 1], [P['g_bf16'], P['g_fp8']], P['g_fp4'])
    wd = np.where(D.mlp > 0, D.mlp/D.d/3, D.d)/D.tp
    etad = eta*wd/(wd+P['wden'])
    we = np.minimum(D.fe, D.fe*D.ep/D.n); etae = eta*P['moe_eff']*we/(we+P['wexp'])
    bww = D.bw*P['bw_w']*np.where(D.q4 > 0, P['w4'], 1)
    four = (D.kind > 0) & (D.wb < 1); eq = np.where(four, P['e4'], 1.); dq = np.where(four, P['d4'], 1.)
    den = D.L*D.att + D.dl*D.mlp + D.ml*D.sh
    denb = D.L*D.att*D.awb + (D.dl*D.mlp + D.ml*D.sh)*D.wb
    head = D.V*D.d
    ht = np.minimum(tk, np.maximum(1, tk/np.maximum(ctx, 1))) if prefill else tk
    tile = np.where(D.eng == 'llama.cpp', 1., P['mtile'])            # matrix-vector kernels
    tc = (2*den*smax(4, tk, tile) + 2*head*ht)/D.tp/(D.peak*etad)
    tm = (denb + head*D.embb)/D.tp/bww*dq
    gemm = smax(P['sm'], tc, tm)
    touched = D.E*(1-(1-D.k/D.E)**np.minimum(T, 1e6))
    rows = smax(4, D.k*T, touched*P['tile'])
    epg = np.maximum(D.ep, 1)
    un = 1 + P['imb']*np.sqrt(2*np.log(epg)/np.maximum(touched/epg, 1)) + P['skew']*(1-1/epg)
    tce = un*2*D.ex*rows*D.ml/D.n/(D.peak*etae)
    tme = un*D.ex*D.wb*touched*D.ml/D.n/bww*eq
    moe = np.where(D.moe > 0, smax(P['sm'], tce+1e-12, tme+1e-12), 0.0)
    # activations moved between kernels
    elem = tk*2*P['elem']*(D.L*D.d*(0.5+0.5/D.tp) + D.ml*D.k*(D.d+D.fe)/D.tp*0.5)/(D.bw*0.8)
    kl = kv_layers(D, ctx)*np.where(D.sparse > 0, np.minimum(1, (D.sparse+0.1*ctx)/ctx), 1)
    if prefill:
        att = 2*D.h*(D.qkd+D.vd)*kl*tk*ctx/2/D.tp/(D.bf16*P['attn'])
    else:
        sh = np.where(D.mla > 0, 1, np.minimum(D.tp, D.g))
        att = D.kvw*D.kvb*kl*tk*ctx/sh/(D.bw*P['bw_kv'])
        tcm = 2*D.h*(2*D.kvl+D.rope)*kl*tk*ctx/D.tp/(D.bf16*P['attn'])
        att = np.where(D.mla > 0, smax(3, att, tcm), att) + D.lin*D.lstate*2*tk/D.tp/(D.bw*P['bw_kv'])
    lat = P['ar_us']*1e-6*np.where(D.link > 100e9, 1, P['pcie_x'])*P['lat_tp']**np.log2(np.maximum(D.n/2, 1))
    comm = np.where(D.tp > 1, 2*D.L*(lat + tk*D.d*2*2*(D.tp-1)/D.tp/(linkbw(D, D.tp)*P['link'])), 0)
    peers = np.minimum(D.k, np.where(D.n <= D.dom, D.n, np.minimum(4, D.n/D.dom)))
    comm = comm + np.where((D.dp > 1) & (D.moe > 0), D.ml*(2*lat + tk*D.d*3*peers*(D.n-1)/D.n/(linkbw(D, D.n)*P['link'])), 0)
    lx = np.select([D.cpp & (D.eng != 'llama.cpp'), D.eng == 'sglang'], [P['lx_cpp'], P['lx_sgl']], 1.)
    launch = lx*(D.L*P['layer_us'] + np.where(D.kind > 0, D.L*P['q_us'], 0) + D.ml*P['moe_us'] + D.mla*D.L*P['mla_us'] + D.lin*P['lin_us'] + np.where(D.sparse > 0, D.L*20, 0))*1e-6
    return (gemm*np.where(prefill & (D.eng == 'llama.cpp'), 2., 1.), moe, elem, att, comm, launch)    # llama.cpp prefill: half speed, not fitted


def weight_bytes(D):
    tot = D.L*D.att*D.awb/D.tp + D.dl*D.mlp*D.wb/D.tp + D.ml*(D.ex*D.E*D.wb/D.n + D.sh*D.wb/D.tp)
    return (tot + D.V*D.d*D.tied*D.embb/D.tp)/D.pp


def max_batch(P, D):
    act = P['ract']*8192*2*(4*D.d + 3*np.where(D.moe > 0, D.k*D.fe/D.n, D.mlp/D.d/3/D.tp))
    free = P['mem']*(D.mem - weight_bytes(D) - P['reserve']*1e9 - act)
    ctx = D.isl + D.osl
    sh = np.where(D.mla > 0, 1, np.minimum(D.tp, D.g))
    kl = D.L - D.lin; kl = kl - P['wsave']*(kl - kv_layers(D, ctx))
    per = D.kvw*D.kvb*kl*ctx/sh/D.pp + D.lin*D.lstate/D.tp/D.pp
    return np.maximum(free/per*D.dp, 0.3)


def step(P, D, B, F=1.0):
    b = np.maximum(B/D.pp, np.minimum(B, 1))     # a micro-batch holds at least one sequence
    ctx = D.isl + D.osl/2
    g, m, e, a, c, l = passes(P, D, b, b, ctx, False)
    hs = P['seq_us']*1e-6*np.where(D.cpp, 1, P['py'])*b/D.dp; host = P['host_ms']*1e-3
    host = host + P['req_ms']*1e-3*b/D.dp/D.osl*np.where(D.cpp, 0.5, 1)
    slow = (1+P['bub']*(D.pp-1))*(1+P['adp']*(1-1/D.dp))
    td = (g+m+e+a+c+l)*slow+host
    pre = b/D.dp*D.isl/D.osl                       # prompt tokens owed per iteration and rank
    S = np.clip(pre, np.minimum(D.isl, 8192), 8192)
    n = S*D.dp
    p = passes(P, D, n, n, D.isl, True)
    q = passes(P, D, n+b, n, D.isl, True)
    mx = P['mix']
    sep = p[0]+p[1]+p[5]; inc = q[0]+q[1]-g-m
    tp = ((1-mx)*sep + mx*np.maximum(inc, 0) + p[2]+p[3]+p[4])/n
    tp = tp*slow
    t0 = tp*pre*D.dp
    td = td + hs
    return (td + t0)/F, td/F, tp/F


def throughput(P, D, F=None):
    """output tokens/s/GPU per (row, layout)"""
    F = np.ones(len(D.row)) if F is None else F
    bmax = max_batch(P, D)
    cap = P['cap']*D.dp
    B = np.where(D.C > 0, np.minimum(bmax, D.C/D.rep), np.minimum(bmax, cap))
    F = F*P['drift']**D.year
    it, td, tp = step(P, D, B, F)
    slo = D.reg == 'server_slo'
    if slo.any():
        ix = np.where(slo)[0]; S = D.take(ix); lim = S.slo/P['p99']
        hi = B[ix].copy(); lo = np.full_like(hi, 1e-3)
        ok = it[ix] <= lim
        for _ in range(14):
            mid = np.sqrt(lo*hi); t = step(P, S, mid, F[ix])[0]
            lo = np.where(t <= lim, mid, lo); hi = np.where(t <= lim, hi, mid)
        B = B.copy(); B[ix] = np.where(ok, B[ix], lo)
        it, td, tp = step(P, D, B, F)
    out = B/it/D.G*np.where(slo, P['srv'], 1)
    return out, dict(B=B, it=it, td=td, tp=tp, bmax=bmax)


def rowmax(D, out):
    o = np.zeros(len(D.rows)); np.maximum.at(o, D.row, out); return o


FAMILY = {'llama-2-7b': 'llama-2', 'llama-2-70b': 'llama-2', 'llama-3.1-8b': 'llama-3', 'llama-3.1-70b': 'llama-3', 'llama-3.1-405b': 'llama-3',
          'llama-4-scout': 'llama-4', 'llama-4-maverick': 'llama-4', 'gpt-oss-120b': 'gpt-oss', 'gpt-oss-20b': 'gpt-oss'}


def family(m):
    if m in FAMILY: return FAMILY[m]
    if m.startswith('qwen3-') and '-a' in m: return 'qwen3-moe'
    if m.startswith('qwen3-'): return 'qwen3'
    return m


class Fit:
    """maximum a posteriori fit of the constants and shrunk group factors, Gauss-Newton on log(predicted/measured), Cauchy weights"""
    def __init__(s, D, meas, groups, names, sd=0.25, gsd=0.10):
        # groups: {kind: label of each row}
        s.D, s.y, s.names, s.sd = D, np.log(meas), names, sd
        s.lab = {k: sorted(set(v)) for k, v in groups.items()}
        s.gcols = {}
        cols = []
        for k, v in groups.items():
            for x in s.lab[k]:
                s.gcols[(k, x)] = len(cols); cols.append(np.array([1.0 if z == x else 0.0 for z in v]))
        s.Z = np.array(cols).T if cols else np.zeros((len(meas), 0))
        s.gsd = np.array([gsd[k] for k, _ in s.gcols]) if cols else np.zeros(0)
        s.start = np.log([PRIOR[n][0] for n in names]); s.lo = np.log([PRIOR[n][1] for n in names]); s.hi = np.log([PRIOR[n][2] for n in names])
        s.psd = np.array([PRIOR[n][3] for n in names])

    def P(s, x): return dict(zip(s.names, np.exp(x)))

    def raw(s, x, f=None, D=None):
        D = D or s.D
        o = throughput(s.P(x), D, None if f is None else np.exp(s.Z@f)[D.row])[0]
        return np.log(np.maximum(rowmax(D, o), 1e-9))

    def run(s, keep, x=None, f=None, iters=12, sigma=0.15, w=None):
        """rows where keep is true; returns constants, factors"""
        x = s.start.copy() if x is None else x.copy(); f = np.zeros(s.Z.shape[1]) if f is None else f.copy()
        rows = np.where(keep)[0]
        ev = np.isin(s.D.row, rows)
        D = s.D.take(np.where(ev)[0]); w0 = np.ones(len(rows)) if w is None else w[rows]
        Z = s.Z[rows]; y = s.y[rows]; lam = 1e-2; last = None
        def obj(base, f, x):
            r = base - y
            return np.sum(w0*np.log1p((r/sigma)**2)) + np.sum(((x-s.start)/s.psd)**2) + np.sum((f/s.gsd)**2), r
        base = s.raw(x, f, D)[rows]; cur, r = obj(base, f, x)
        for it in range(iters):
            J = np.empty((len(rows), len(x)))
            for j in range(len(x)):
                z = x.copy(); h = 0.02 if z[j]+0.02 <= s.hi[j] else -0.02; z[j] += h
                J[:, j] = (s.raw(z, f, D)[rows]-base)/h
            JJ = np.hstack([J, Z]); w = w0/(1+(r/sigma)**2)/sigma**2
            H = JJ.T@(JJ*w[:, None]); g = JJ.T@(w*r)
            pd = np.concatenate([1/s.psd**2, 1/s.gsd**2]); pr = np.concatenate([(x-s.start)/s.psd**2, f/s.gsd**2])
            ok = False
            for _ in range(6):
                d = np.linalg.solve(H+np.diag(pd)+lam*np.diag(np.diag(H)+1), -(g+pr))
                nx = np.clip(x+np.clip(d[:len(x)], -.5, .5), s.lo, s.hi); nf = f+d[len(x):]
                nb = s.raw(nx, nf, D)[rows]; nc, nr = obj(nb, nf, nx)
                if nc < cur: ok = True; break
                lam *= 4
            if not ok: break
            gain = cur-nc; x, f, base, cur, r = nx, nf, nb, nc, nr; lam = max(lam/5, 1e-4)
            if gain < 0.05: break
        s.cur = cur
        return x, f


def spearman(x, y):
    def rank(v):
        v = np.asarray(v); o = np.argsort(v, kind='stable'); r = np.empty(len(v)); r[o] = np.arange(len(v))
        for u in np.unique(v): k = v == u; r[k] = r[k].mean()
        return r
    return float(np.corrcoef(rank(x), rank(y))[0, 1]) if len(x) > 2 else float('nan')


def show(tag, pred, meas):
    e = np.abs(pred/meas-1)
    print(f'{tag:34s} n={len(e):5d} median {100*np.median(e):5.1f}%  P90 {100*np.quantile(e, .9):6.1f}%  in25 {100*np.mean(e <= .25):5.1f}%  bias {np.median(pred/meas):5.2f}  rho {spearman(pred, meas):.4f}')


def engine(r):
    v = str(r['engine_version'])
    return r['engine'] + ('/cpp' if r['engine'] == 'trtllm' and (v.startswith('0.') or 'TensorRT' in v) else '')


def fold(job):
    """constants and factors with one group left out, from the priors; its own factor is 1"""
    key, u = job
    keep = np.array([z != u for z in STATE['lab'][key]])
    ft = STATE['fit']
    x, f = ft.run(keep, iters=16)
    f[ft.gcols[(key, u)]] = 0
    other = f.copy()
    for (k, _), c in ft.gcols.items():
        if k != 'eng': other[c] = 0
    return key, u, x, np.exp(ft.raw(x, f)), np.exp(ft.raw(x, other)), ~keep


STATE = {}


def table(tag, R, p, m):
    show(tag, p, m)
    for reg in BAR:
        k = np.array([r['regime'] == reg for r in R]); show('   '+reg, p[k], m[k])


def by(tag, R, p, m, key):
    lab = np.array([key(r) for r in R])
    print('--', tag)
    for u in sorted(set(lab)):
        k = lab == u
        if k.sum() > 4: show('   '+u[-30:], p[k], m[k])


def other_regimes(P, A, G, rows, eng):
    rows = [r for r in rows if r['gpu'] in G and r['regime'] not in BAR + ('production',)]
    D = Data(rows, A, G); F = np.array([eng.get(engine(r), 1.) for r in rows])[D.row]*P['drift']**D.year
    B = np.where(D.C > 0, D.C, np.minimum(max_batch(P, D), 256*D.dp))
    B = np.where(D.reg == 'static_batch', D.C, B)
    it, td, _ = step(P, D, np.maximum(B, 1), F)
    n = np.where(D.reg == 'prefill_only', np.where(D.eng == 'llama.cpp', D.isl, np.maximum(D.isl, 16384)*D.dp), D.isl*np.maximum(D.C, 1))
    t = sum(passes(P, D, n, n, D.isl, True))/F + P['host_ms']*1e-3
    out = np.select([D.reg == 'prefill_only', D.reg == 'single_stream_ttft', D.reg == 'static_batch'],
                    [n/t/D.G, t*1e3, D.C*D.osl/(t + D.osl*td)/D.G], np.maximum(B, 1)/td/D.G)
    m = np.array([r['in_tok_s_per_gpu'] if r['regime'] == 'prefill_only' else r['ttft_ms'] if r['regime'] == 'single_stream_ttft' else r['out_tok_s_per_gpu'] for r in rows])
    p = rowmax(D, out)
    print('== other regimes (no constant fitted on them; family and GPU factors 1; the three llama.cpp rules were set after seeing these rows)')
    for reg in sorted(set(D.reg)): k = np.array([r['regime'] == reg for r in rows]); show('   '+reg, p[k], m[k])


def layout_search(P, A, G, R, m, F, tag):
    grp = collections.defaultdict(list)
    for i, r in enumerate(R):
        if r['tp'] is not None:
            grp[tuple(str(r[k]) for k in ('model', 'weight_quant', 'gpu', 'n_gpus', 'engine', 'engine_version', 'isl', 'osl', 'concurrency', 'regime'))].append(i)
    best = [max(v, key=lambda i: m[i]) for v in grp.values()]
    D = Data([R[i] for i in best], A, G, free=True)
    for name, d in (('one replica of all GPUs', D.take(np.where(D.rep == 1)[0])), ('any replicas', D)):
        show('layout search, '+tag+name, rowmax(d, throughput(P, d, F[best][d.row])[0]), m[best])


def ttft(P, D, F, R):
    o, q = throughput(P, D, F[D.row])
    at = {i: j for j, i in enumerate(D.row)}
    ix = [i for i, r in enumerate(R) if r['ttft_ms']]; j = np.array([at[i] for i in ix]); S = D.take(j)
    F = F[ix]*P['drift']**S.year
    pf1 = sum(passes(P, S, S.isl*S.dp, S.isl*S.dp, S.isl, True))/F
    it, td, B = q['it'][j], q['td'][j], q['B'][j]
    mt = np.array([R[i]['ttft_ms'] for i in ix])/1e3; mp = np.array([R[i]['tpot_ms'] for i in ix])/1e3
    model = lambda c: c[0]*pf1 + c[1]*it + c[2]*(1-td/it)*B/S.dp*pf1/2
    loss = lambda c: np.mean(np.abs(np.log(model(c)/mt)))
    c = np.array([1.2, 8., .2]); b = loss(c)
    for _ in range(30):
        for k in range(3):
            for g in (.5, 2, .8, 1.25, .95, 1.05, .99, 1.01):
                z = c.copy(); z[k] *= g
                if loss(z) < b: c, b = z, loss(z)
    t = model(c); lr = np.log(mt/t)
    show('TTFT', t, mt); print('   TTFT = %.2f own prefill + %.2f step + %.3f rho*B*prefill/2; measured/predicted P10 %.2f P90 %.2f' % (*c, *np.exp(np.quantile(lr, [.1, .9]))))
    show('TPOT by Little', np.maximum(.9*td, (S.osl*it-t)/np.maximum(S.osl-1, 1)), mp)


def intervals(R, A, p, m, lab):
    """P10 and P90 of measured/predicted by regime and dense or MoE; coverage with the row's own group left out of the quantiles"""
    cls = np.array([r['regime'] + ('/moe' if A[r['model']]['moe'] else '/dense') for r in R]); lr = np.log(m/p); lab = np.array(lab)
    inside = np.zeros(len(R), bool)
    def band(k):
        z = lr[k]; n = len(z); a = np.quantile(lr, [.08, .92]); w = n/(n+20)     # few rows: towards the band of all
        return w*np.quantile(z, [.08, .92]) + (1-w)*a if n else a
    for u in set(lab):
        for c in set(cls):
            k = (cls == c) & (lab == u)
            if k.any(): a, b = band((cls == c) & (lab != u)); inside[k] = (lr[k] >= a) & (lr[k] <= b)
    print('   bands', {c: tuple(round(float(z), 2) for z in np.exp(band(cls == c))) for c in sorted(set(cls))}, 'coverage %.1f%%' % (100*inside.mean()),
          {c: round(float(inside[cls == c].mean()), 2) for c in sorted(set(cls))})


def main():
    ap = argparse.ArgumentParser(); ap.add_argument('measurements'); ap.add_argument('architectures'); ap.add_argument('gpus')
    ap.add_argument('--quick', action='store_true'); a = ap.parse_args()
    A = {x['key']: x for x in json.load(open(a.architectures))['models']}
    G = {x['id']: x for x in json.load(open(a.gpus))['gpus']}
    rows = json.load(open(a.measurements))['rows']
    R = [r for r in rows if r['gpu'] in G and r['regime'] in BAR]
    m = np.array([r['out_tok_s_per_gpu'] for r in R]); D = Data(R, A, G)
    lab = dict(gpu=[r['gpu'] for r in R], fam=[family(r['model']) for r in R], eng=[engine(r) for r in R])
    names = list(PRIOR); ft = Fit(D, m, lab, names, gsd=GROUP_SD)
    x, f = ft.run(np.ones(len(R), bool), iters=30); P = ft.P(x); F = np.exp(ft.Z@f)
    print('== in sample'); table('all', R, np.exp(ft.raw(x, f)), m)
    lo, hi = x.copy(), x.copy()
    if not a.quick:
        STATE.update(fit=ft, lab=lab)
        n = collections.Counter(lab['gpu']); fam = collections.Counter(lab['fam'])
        jobs = sorted([('gpu', u, c) for u, c in n.items()] + [('fam', u, c) for u, c in fam.items()], key=lambda z: z[2])
        cv = dict(gpu=np.zeros(len(R)), fam=np.zeros(len(R))); both = dict(gpu=np.zeros(len(R)), fam=np.zeros(len(R)))
        with Pool(2) as pool:
            for key, u, z, p, q, out in pool.imap_unordered(fold, [j[:2] for j in jobs], chunksize=1):
                cv[key][out] = p[out]; both[key][out] = q[out]; lo = np.minimum(lo, z); hi = np.maximum(hi, z)
        for key, name in (('gpu', 'GPU left out'), ('fam', 'family left out')):
            print('== cross-validated,', name); table('all', R, cv[key], m)
            show('   and no other GPU/family factor', both[key], m)
            by('source', R, cv[key], m, lambda r: r['source'].replace('github.com/', '')); by('engine', R, cv[key], m, engine); by('gpu', R, cv[key], m, lambda r: r['gpu'])
            intervals(R, A, cv[key], m, lab[key])
        print('== both, pooled'); table('all', R+R, np.concatenate([cv['gpu'], cv['fam']]), np.concatenate([m, m]))
    print('== constants: fitted (lowest, highest over the folds)')
    for k, v, l, h in zip(names, np.exp(x), np.exp(lo), np.exp(hi)): print('   %-9s %9.3f  (%.3f, %.3f)' % (k, v, l, h))
    print('== factors on speed', {'%s %s' % k: round(float(np.exp(f[i])), 3) for k, i in ft.gcols.items()})
    layout_search(P, A, G, R, m, F, 'all factors: ')
    layout_search(P, A, G, R, m, np.exp(np.array([f[ft.gcols[('eng', e)]] for e in lab['eng']])), 'engine factor only: ')
    ttft(P, D, F, R)
    other_regimes(P, A, G, rows, {u: float(np.exp(f[ft.gcols[('eng', u)]])) for u in ft.lab['eng']})


if __name__ == '__main__':
    main()
