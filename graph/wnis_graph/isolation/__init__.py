"""Which valves isolate a break, and who is without water then.

Two separate steps. *Segments* depend on isolation valves alone: they are what is left connected when every isolation
valve is closed (`pieces`). *Reachability* from the sources then respects what is closed and which way pumps, check
valves and pressure valves let water through (`reach`). `answer` puts both together, `exercise` ranks the valves.
Nothing here touches the graph; `wnis_graph.repositories.isolation` fills and caches it.

Terms and segment partition follow Walski (1993), "Water distribution valve topology for reliability analysis", and
Jun and Loganathan (2007), "Valve-controlled segments in water distribution systems" (segment, unintended isolation).
"""
