package io.callbridge.support;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.type.WildcardType;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** The types of our own that Jackson reads or writes by reflection, as the compiler sees them in the sources. */
public final class JsonTypes extends TreePathScanner<Void, Void> {

    private static final String JACKSON = "com.fasterxml.jackson.databind.";
    private static final Set<String> MAPPERS = Set.of(JACKSON + "ObjectMapper", JACKSON + "ObjectReader", JACKSON + "ObjectWriter");
    private final Trees trees;
    private final Set<String> found = new TreeSet<>();

    private JsonTypes(Trees trees) {
        this.trees = trees;
    }

    /**
     * The binary names of the types that these sources hand to a mapper, or put into a map of anything, which is what they write.
     */
    public static Set<String> in(Collection<Path> sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(null, files, null,
                    List.of("-proc:none", "-classpath", System.getProperty("java.class.path")), null, files.getJavaFileObjectsFromPaths(sources));
            Iterable<? extends CompilationUnitTree> units = task.parse();
            task.analyze();
            JsonTypes types = new JsonTypes(Trees.instance(task));
            units.forEach(unit -> types.scan(unit, null));
            return types.found;
        }
    }

    @Override
    public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
        Element method = trees.getElement(getCurrentPath());
        if (method != null && method.getEnclosingElement() instanceof TypeElement owner) {
            String name = owner.getQualifiedName().toString();
            if (MAPPERS.contains(name) || name.matches("java\\.util\\.\\w*Map") && List.of("put", "of").contains(method.getSimpleName().toString())
                    && ofAnything(trees.getTypeMirror(getCurrentPath()), call)) {
                call.getArguments().forEach(argument -> add(type(argument)));
            }
        }
        return super.visitMethodInvocation(call, nothing);
    }

    /** A map whose values may be anything: the receiver of a put, the result of {@code Map.of}. */
    private boolean ofAnything(TypeMirror result, MethodInvocationTree call) {
        TypeMirror map = call.getMethodSelect() instanceof MemberSelectTree select
                && type(select.getExpression()) instanceof DeclaredType receiver && !receiver.getTypeArguments().isEmpty() ? receiver : result;
        return map instanceof DeclaredType declared && declared.getTypeArguments().size() == 2
                && declared.getTypeArguments().get(1).toString().equals("java.lang.Object");
    }

    private TypeMirror type(ExpressionTree expression) {
        return trees.getTypeMirror(new TreePath(getCurrentPath(), expression));
    }

    private void add(TypeMirror type) {
        if (type instanceof ArrayType array) {
            add(array.getComponentType());
        } else if (type instanceof WildcardType wildcard && wildcard.getExtendsBound() != null) {
            add(wildcard.getExtendsBound());
        } else if (type instanceof DeclaredType declared) {
            TypeElement element = (TypeElement) declared.asElement();
            if (element.getQualifiedName().toString().startsWith("io.callbridge.")) {
                found.add(binaryName(element));
            } else if (element.getSuperclass() instanceof DeclaredType parent && element.getSimpleName().isEmpty()) {
                add(parent);
            }
            declared.getTypeArguments().forEach(this::add);
        }
    }

    private static String binaryName(TypeElement type) {
        return type.getEnclosingElement() instanceof TypeElement outer
                ? binaryName(outer) + "$" + type.getSimpleName() : type.getQualifiedName().toString();
    }
}
