#!/usr/bin/env python3
# Stands in for Prometheus, once: prometheus.py KIND PORT. Series are formulas of their name and arm.
import sys, json, math, urllib.parse, hashlib
from http.server import BaseHTTPRequestHandler, HTTPServer
kind = sys.argv[1]  # healthy, slow, silent, gaps, errors
def noise(*k):
    return int(hashlib.sha256(repr(k).encode()).hexdigest()[:8],16)/2**32
def value(q,arm,t,le=None):
    u = noise(q,arm,t,le)
    canary = arm=='v2'
    if kind=='silent' and canary: return None
    if kind=='gaps' and int(t)//60%3==0: return None
    total = round(600+60*noise('total',arm,t))
    if 'errors' in q: return round(total*0.02*(1+(3 if canary and kind=='errors' else 0))*(0.7+0.6*u))
    if 'total' in q: return total
    if 'latency' in q: return round(0.2*(1+(0.6 if canary and kind=='slow' else 0))*(0.9+0.2*u),6)
    if 'bucket' in q:
        slow = 2 if canary and kind=='slow' else 1
        share = {'0.1':0.5,'0.25':0.8,'0.5':1-0.08*slow,'1':1-0.02*slow,'+Inf':1}[le]
        return round(total*share)
class H(BaseHTTPRequestHandler):
    def log_message(self,*a): pass
    def do(self, form):
        q=form['query'][0]
        if not self.path.startswith('/api/v1/query_range'):
            return self.out({"status":"success","data":{"resultType":"vector","result":[]}})
        start,end=float(form['start'][0]),float(form['end'][0]); step=float(form['step'][0].rstrip('s'))
        arm='v2' if 'version="v2"' in q else 'v1'
        res=[]
        for le in (['0.1','0.25','0.5','1','+Inf'] if 'bucket' in q else [None]):
            vals=[]; t=start
            while t<=end:
                v=value(q.replace('v2','').replace('v1',''),arm,t,le)
                if v is not None: vals.append([t,str(v)])
                t+=step
            if vals: res.append({"metric":({"le":le} if le else {}),"values":vals})
        self.out({"status":"success","data":{"resultType":"matrix","result":res}})
    def out(self,o):
        b=json.dumps(o).encode(); self.send_response(200); self.send_header('Content-Type','application/json'); self.send_header('Content-Length',str(len(b))); self.end_headers(); self.wfile.write(b)
    def do_GET(self): self.do(urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query))
    def do_POST(self): self.do(urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode()))
HTTPServer(('127.0.0.1',int(sys.argv[2])),H).serve_forever()
